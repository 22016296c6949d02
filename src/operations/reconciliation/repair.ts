import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RequeueCandidate } from '../../backbone/delivery/requeue.js';
import { requeue } from '../../backbone/delivery/requeue.js';
import { deliveryId } from '../../backbone/delivery.js';
import { Subscriptions } from '../../backbone/registry/subscriptions.js';
import { Database } from '../../common/database/database.js';
import { Audit } from '../audit/audit.js';
import type { Finding } from '../checks.js';
import { CheckRegistry } from './check-registry.js';
import { HandledEvents } from './handled-events.js';
import { findingKey, recheck } from './recheck.js';
import { type Left, type RepairOptions, type RepairView, SHOWN_MAX } from './reconciliation.dto.js';
import { type RepairTarget, repairCandidates } from './repair-candidates.js';
import { Reports } from './reports.js';

/** What can be mended, and how many cannot, by the reason. */
interface Assessment {
  readonly mendings: RepairTarget[];
  readonly left: Map<Left, number>;
}

/**
 * Mends what was found, where that is safe: by a delivery that runs for the first time, or once more where its handler
 * takes no harm from that. Everything is looked at again before, and what agrees by now is left alone.
 */
@Injectable()
export class RepairService {
  constructor(
    private readonly database: Database,
    private readonly subscriptions: Subscriptions,
    private readonly checks: CheckRegistry,
    private readonly reports: Reports,
    private readonly audit: Audit,
  ) {}

  /** The relays find within a second what is due. */
  async mend(order: RepairOptions): Promise<RepairView> {
    const { mendings, left } = await this.assess(order);
    const mended = order.preview
      ? await this.database.read('backbone', (manager) => this.candidates(mendings, manager))
      : await this.database.transaction('backbone', async ({ manager }) => {
          const renewed = await requeue(await this.candidates(mendings, manager), manager);
          await this.record(order, renewed, manager);
          return renewed;
        });
    add(left, 'agrees-by-now', mendings.length - mended.length);
    const sideEffects = mended.filter(({ subscriber }) => this.isSideEffect(subscriber)).length;
    return {
      preview: order.preview,
      mended: mended.length,
      sideEffects,
      left: [...left].map(([reason, count]) => ({ reason, count })),
      ids: mended.slice(0, SHOWN_MAX).map(deliveryId),
    };
  }

  private async assess({ check: name, subject }: RepairOptions): Promise<Assessment> {
    const assessed: Assessment = { mendings: [], left: new Map() };
    for (const report of await this.reports.last()) {
      if (name !== undefined && report.check !== name) continue;
      const findings = report.findings.filter((finding) => subject === undefined || finding.subject === subject);
      const mendable = findings.filter(({ delivery }) => delivery);
      add(assessed.left, 'no-safe-repair', findings.length - mendable.length);
      const check = this.checks.all.find((each) => each.name === report.check);
      if (!check) add(assessed.left, 'in-another-process', mendable.length);
      if (!check || mendable.length === 0) continue;
      const heard = new HandledEvents(this.database, this.subscriptions, true);
      const keys = mendable.map(({ key }) => key);
      const standing = among(mendable, await recheck(check, keys, heard));
      add(assessed.left, 'agrees-by-now', mendable.length - standing.length);
      assessed.mendings.push(...standing.flatMap(({ delivery }) => delivery ?? []));
    }
    return assessed;
  }

  private async candidates(mendings: readonly RepairTarget[], manager: EntityManager): Promise<RequeueCandidate[]> {
    return repairCandidates(mendings, this.subscriptions, manager);
  }

  private async record(
    order: RepairOptions,
    renewed: readonly RequeueCandidate[],
    manager: EntityManager,
  ): Promise<void> {
    if (renewed.length === 0) return;
    const missing = renewed.filter(({ state }) => state === null).length;
    await this.audit.record(manager, {
      action: 'repair-findings',
      target: { check: order.check, subject: order.subject },
      reason: order.reason ?? null,
      before: { missing, done: renewed.length - missing },
      after: { pending: renewed.length },
    });
  }

  private isSideEffect(subscriber: string): boolean {
    return this.subscriptions.named(subscriber)?.mode === 'side-effect';
  }
}

function among(known: readonly Finding[], seen: readonly Finding[]): Finding[] {
  const names = new Set(known.map(findingKey));
  return seen.filter((each) => names.has(findingKey(each)));
}

function add(left: Map<Left, number>, reason: Left, count: number): void {
  if (count > 0) left.set(reason, (left.get(reason) ?? 0) + count);
}
