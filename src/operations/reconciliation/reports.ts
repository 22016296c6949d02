import { Injectable } from '@nestjs/common';
import { Database } from '../../common/database/database.js';
import type { Finding } from '../checks.js';
import { CheckRegistry } from './check-registry.js';
import { type Checkpoint, START_CHECKPOINT } from './checkpoint.js';

/** What a check said last. */
export interface Report {
  readonly check: string;
  readonly means: string;
  readonly remedy: string;
  readonly isRunning: boolean;
  readonly startedAt: Date | null;
  /** Null: it has never come to its end. */
  readonly finishedAt: Date | null;
  /** How many rows or events were looked at. */
  readonly lookedAt: number;
  readonly findings: readonly Finding[];
  /** Why it failed the last time, if it did. What it found is of the last time that it came to its end. */
  readonly error: string | null;
}

/** What a check has to say. */
export interface CheckResult extends Pick<Report, 'check' | 'lookedAt' | 'findings' | 'error'> {
  /** For the next pass; null where the check looks at rows. */
  readonly settled: Checkpoint | null;
}

interface Claimed {
  readonly name: string;
  readonly settled: Checkpoint | null;
}

/** A process that dies in the middle leaves its checks to others after this time. */
const LEASE_SECONDS = 60;

/** In one order, so that processes that want the same do not wait for each other in a circle. */
const CLAIM = `
  INSERT INTO backbone.reconciliation AS r (check_name, means, remedy, run, lease_until)
  SELECT name, description, remedy, $2, clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'
    FROM jsonb_to_recordset($1::jsonb) AS c(name text, description text, remedy text) ORDER BY name
  ON CONFLICT (check_name) DO UPDATE
     SET run = excluded.run, lease_until = excluded.lease_until, means = excluded.means, remedy = excluded.remedy
   WHERE (r.lease_until IS NULL OR r.lease_until < clock_timestamp())
     AND (r.finished_at IS NULL OR r.finished_at < clock_timestamp() - $3 * interval '1 minute')
  RETURNING check_name AS name, settled`;

const RENEW = `
  UPDATE backbone.reconciliation SET lease_until = clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'
   WHERE run = $1 RETURNING 1`;

const RELEASE = 'UPDATE backbone.reconciliation SET lease_until = NULL WHERE run = $1';

/** What a check that fails found before stays, and is as old as it is: so it is made again soon. */
const FINISH = `
  UPDATE backbone.reconciliation r
     SET lease_until = NULL, started_at = $2, error = said.error,
         finished_at = CASE WHEN said.error IS NULL THEN clock_timestamp() ELSE r.finished_at END,
         looked_at = CASE WHEN said.error IS NULL THEN said."lookedAt" ELSE r.looked_at END,
         findings = CASE WHEN said.error IS NULL THEN said.findings ELSE r.findings END,
         settled = CASE WHEN said.error IS NULL THEN said.settled ELSE r.settled END
    FROM jsonb_to_recordset($3::jsonb)
      AS said("check" text, "lookedAt" bigint, findings jsonb, error text, settled jsonb)
   WHERE r.check_name = said."check" AND r.run = $1`;

const LAST = `
  SELECT check_name AS "check", means, remedy, coalesce(lease_until > clock_timestamp(), false) AS "isRunning",
         started_at AS "startedAt", finished_at AS "finishedAt", looked_at::float8 AS "lookedAt", findings, error
    FROM backbone.reconciliation ORDER BY check_name`;

/** What was found last, for all processes to see, and who is looking at the moment. */
@Injectable()
export class Reports {
  constructor(
    private readonly database: Database,
    private readonly checks: CheckRegistry,
  ) {}

  /** Takes those of our checks that nobody is at, and that were not made within so many minutes; each with how far it was. */
  async claim(run: string, minutes: number): Promise<ReadonlyMap<string, Checkpoint>> {
    const wanted = this.checks.all.map(({ name, description, remedy }) => ({ name, description, remedy }));
    const claimed = await this.database.query<Claimed>(CLAIM, [JSON.stringify(wanted), run, minutes]);
    return new Map(claimed.map(({ name, settled }) => [name, settled ?? START_CHECKPOINT]));
  }

  /** False when somebody else has taken over, because we were silent for too long. */
  async renew(run: string): Promise<boolean> {
    return (await this.database.query(RENEW, [run])).length > 0;
  }

  async release(run: string): Promise<void> {
    await this.database.query(RELEASE, [run]);
  }

  async finish(run: string, startedAt: Date, said: readonly CheckResult[]): Promise<void> {
    await this.database.query(FINISH, [run, startedAt, JSON.stringify(said)]);
  }

  last(): Promise<Report[]> {
    return this.database.query<Report>(LAST);
  }
}
