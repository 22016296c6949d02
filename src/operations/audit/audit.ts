import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { currentContext } from '../../common/context/context.js';
import { Database } from '../../common/database/database.js';

export const ACTIONS = [
  'replay-deliveries',
  'replay-subscription',
  'skip-delivery',
  'release-line',
  'pause-subscription',
  'resume-subscription',
  'repair-findings',
] as const;

type Facts = Readonly<Record<string, unknown>>;

/** An action of an operator. */
export interface AuditEntry {
  readonly action: (typeof ACTIONS)[number];
  /** The filter, delivery, subscriber or partition that it changed. */
  readonly target: Facts;
  readonly reason: string | null;
  /** Counts or states of the changed rows. */
  readonly before: Facts;
  readonly after: Facts;
}

export interface StoredAuditEntry extends AuditEntry {
  readonly id: string;
  readonly actor: string;
  readonly correlationId: string;
  readonly at: Date;
  /** Null while the action runs; it stays null if the process died. */
  readonly finishedAt: Date | null;
}

const RECORD = `
  INSERT INTO backbone.operation
    (id, actor, correlation_id, action, target, reason, before, after, finished_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $9 THEN clock_timestamp() END)
  ON CONFLICT (id) DO UPDATE SET before = excluded.before, after = excluded.after, finished_at = excluded.finished_at`;

const LIST = `
  SELECT id, action, target, reason, actor, correlation_id AS "correlationId", before, after, at,
         finished_at AS "finishedAt"
    FROM backbone.operation WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2`;

/** Stores the actions of operators with actor, time and reason. An entry commits together with its action. */
@Injectable()
export class Audit {
  constructor(private readonly database: Database) {}

  async record(manager: EntityManager, entry: AuditEntry): Promise<void> {
    await this.store(manager, uuidv7(), entry, true);
  }

  /** For an action of several transactions: each of them updates the one entry with this id. */
  async recordProgress(
    manager: EntityManager,
    id: string,
    entry: AuditEntry & { readonly isFinished: boolean },
  ): Promise<void> {
    await this.store(manager, id, entry, entry.isFinished);
  }

  /** Newest first; only entries older than the given one. */
  list(limit: number, olderThan?: string): Promise<StoredAuditEntry[]> {
    return this.database.query<StoredAuditEntry>(LIST, [olderThan, limit]);
  }

  private async store(manager: EntityManager, id: string, entry: AuditEntry, isFinished: boolean): Promise<void> {
    const { action, target, reason, before, after } = entry;
    const { actor = 'orderly', correlationId = id } = currentContext() ?? {};
    await manager.query(RECORD, [id, actor, correlationId, action, target, reason, before, after, isFinished]);
  }
}
