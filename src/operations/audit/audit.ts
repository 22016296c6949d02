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

/** What an operator did. */
export interface AuditEntry {
  readonly action: (typeof ACTIONS)[number];
  /** To what. */
  readonly target: Facts;
  readonly reason: string | null;
  /** Numbers or states of what was changed. */
  readonly before: Facts;
  readonly after: Facts;
}

export interface StoredAuditEntry extends AuditEntry {
  readonly id: string;
  readonly actor: string;
  readonly correlationId: string;
  readonly at: Date;
  /** Null while it goes on; it stays so when the process died in the middle. */
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

/** Who did what, when and why: an entry commits with its deed or not at all. */
@Injectable()
export class Audit {
  constructor(private readonly database: Database) {}

  async record(manager: EntityManager, deed: AuditEntry): Promise<void> {
    await this.keep(manager, uuidv7(), deed, true);
  }

  /** What is done in several transactions is one entry that grows with each of them, under one id. */
  async recordProgress(
    manager: EntityManager,
    id: string,
    deed: AuditEntry & { readonly isFinished: boolean },
  ): Promise<void> {
    await this.keep(manager, id, deed, deed.isFinished);
  }

  /** Newest first; only those older than the given one. */
  list(limit: number, olderThan?: string): Promise<StoredAuditEntry[]> {
    return this.database.query<StoredAuditEntry>(LIST, [olderThan, limit]);
  }

  private async keep(manager: EntityManager, id: string, deed: AuditEntry, isFinished: boolean): Promise<void> {
    const { action, target, reason, before, after } = deed;
    const { actor = 'orderly', correlationId = id } = currentContext() ?? {};
    await manager.query(RECORD, [id, actor, correlationId, action, target, reason, before, after, isFinished]);
  }
}
