import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../database/database.js';
import { deliveryId } from '../events/delivery.js';
import { Subscriptions } from '../events/subscriptions.js';
import { Audit } from '../operations/audit.js';
import type { Candidate } from '../operations/replay-candidates.js';
import { renew } from '../operations/replay-renewal.js';
import { Checks, type Disagreement } from './checks.js';
import { HeardEvents } from './heard-events.js';
import { lookAgain, nameOf } from './looks.js';
import { type Mending, mendingsOf } from './mendings.js';
import { type Left, type RepairOrder, type RepairView, SHOWN_MAX } from './reconciliation.dto.js';
import { Reports } from './reports.js';

/** What can be mended, and how many cannot, by the reason. */
interface Assessment {
  readonly mendings: Mending[];
  readonly left: Map<Left, number>;
}

/**
 * Mends what was found, where that is safe: by a delivery that runs for the first time, or once more where its handler
 * takes no harm from that. Everything is looked at again before, and what agrees by now is left alone.
 */
@Injectable()
export class Repair {
  constructor(
    private readonly database: Database,
    private readonly subscriptions: Subscriptions,
    private readonly checks: Checks,
    private readonly reports: Reports,
    private readonly audit: Audit,
  ) {}

  /** The relays find within a second what is due. */
  async mend(order: RepairOrder): Promise<RepairView> {
    const { mendings, left } = await this.assess(order);
    const mended = order.preview
      ? await this.database.read('backbone', (manager) => this.candidates(mendings, manager))
      : await this.database.transaction('backbone', async ({ manager }) => {
          const renewed = await renew(await this.candidates(mendings, manager), manager);
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

  private async assess({ check: name, subject }: RepairOrder): Promise<Assessment> {
    const assessed: Assessment = { mendings: [], left: new Map() };
    for (const report of await this.reports.last()) {
      if (name !== undefined && report.check !== name) continue;
      const findings = report.findings.filter((finding) => subject === undefined || finding.subject === subject);
      const mendable = findings.filter(({ delivery }) => delivery);
      add(assessed.left, 'no-safe-repair', findings.length - mendable.length);
      const check = this.checks.all.find((each) => each.name === report.check);
      if (!check) add(assessed.left, 'in-another-process', mendable.length);
      if (!check || mendable.length === 0) continue;
      const heard = new HeardEvents(this.database, this.subscriptions, true);
      const keys = mendable.map(({ key }) => key);
      const standing = among(mendable, await lookAgain(check, keys, heard));
      add(assessed.left, 'agrees-by-now', mendable.length - standing.length);
      assessed.mendings.push(...standing.flatMap(({ delivery }) => delivery ?? []));
    }
    return assessed;
  }

  private async candidates(mendings: readonly Mending[], manager: EntityManager): Promise<Candidate[]> {
    return mendingsOf(mendings, this.subscriptions, manager);
  }

  private async record(order: RepairOrder, renewed: readonly Candidate[], manager: EntityManager): Promise<void> {
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
    return this.subscriptions.named(subscriber)?.lane === 'side-effect';
  }
}

function among(known: readonly Disagreement[], seen: readonly Disagreement[]): Disagreement[] {
  const names = new Set(known.map(nameOf));
  return seen.filter((each) => names.has(nameOf(each)));
}

function add(left: Map<Left, number>, reason: Left, count: number): void {
  if (count > 0) left.set(reason, (left.get(reason) ?? 0) + count);
}
