import { Injectable } from '@nestjs/common';
import { Database } from '../../common/database/database.js';
import type { Finding } from '../checks.js';
import { CheckRegistry } from './check-registry.js';
import { type Checkpoint, START_CHECKPOINT } from './checkpoint.js';

/** The result of the last run of a check. */
export interface Report {
  readonly check: string;
  readonly means: string;
  readonly remedy: string;
  readonly isRunning: boolean;
  readonly startedAt: Date | null;
  /** Null when no run of the check has completed. */
  readonly finishedAt: Date | null;
  /** Number of rows or events that were checked. */
  readonly lookedAt: number;
  readonly findings: readonly Finding[];
  /** The error of the last run, if it failed; the findings are then those of the last run that completed. */
  readonly error: string | null;
}

/** The result of one check in one run. */
export interface CheckResult extends Pick<Report, 'check' | 'lookedAt' | 'findings' | 'error'> {
  /** Where the next run continues; null for a check on rows. */
  readonly checkpoint: Checkpoint | null;
}

interface Claimed {
  readonly name: string;
  readonly checkpoint: Checkpoint | null;
}

/** Other processes take over the checks of a process that died after this time. */
const LEASE_SECONDS = 60;

/** Rows are locked in the sequence of their names, so that processes that claim the same checks cannot deadlock. */
const CLAIM = `
  INSERT INTO backbone.reconciliation AS r (check_name, means, remedy, run, lease_until)
  SELECT name, description, remedy, $2, clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'
    FROM jsonb_to_recordset($1::jsonb) AS c(name text, description text, remedy text) ORDER BY name
  ON CONFLICT (check_name) DO UPDATE
     SET run = excluded.run, lease_until = excluded.lease_until, means = excluded.means, remedy = excluded.remedy
   WHERE (r.lease_until IS NULL OR r.lease_until < clock_timestamp())
     AND (r.finished_at IS NULL OR r.finished_at < clock_timestamp() - $3 * interval '1 minute')
  RETURNING check_name AS name, settled AS checkpoint`;

const RENEW = `
  UPDATE backbone.reconciliation SET lease_until = clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'
   WHERE run = $1 RETURNING 1`;

const RELEASE = 'UPDATE backbone.reconciliation SET lease_until = NULL WHERE run = $1';

/** A check that failed keeps its earlier findings and their time, so it is soon due again. */
const FINISH = `
  UPDATE backbone.reconciliation r
     SET lease_until = NULL, started_at = $2, error = result.error,
         finished_at = CASE WHEN result.error IS NULL THEN clock_timestamp() ELSE r.finished_at END,
         looked_at = CASE WHEN result.error IS NULL THEN result."lookedAt" ELSE r.looked_at END,
         findings = CASE WHEN result.error IS NULL THEN result.findings ELSE r.findings END,
         settled = CASE WHEN result.error IS NULL THEN result.checkpoint ELSE r.settled END
    FROM jsonb_to_recordset($3::jsonb)
      AS result("check" text, "lookedAt" bigint, findings jsonb, error text, checkpoint jsonb)
   WHERE r.check_name = result."check" AND r.run = $1`;

const LAST = `
  SELECT check_name AS "check", means, remedy, coalesce(lease_until > clock_timestamp(), false) AS "isRunning",
         started_at AS "startedAt", finished_at AS "finishedAt", looked_at::float8 AS "lookedAt", findings, error
    FROM backbone.reconciliation ORDER BY check_name`;

/** Stores the results of the checks for all processes, and the lease of the process that runs a check. */
@Injectable()
export class Reports {
  constructor(
    private readonly database: Database,
    private readonly checks: CheckRegistry,
  ) {}

  /**
   * Claims the checks of this process that no other process runs and that were not completed within so many minutes.
   */
  async claim(run: string, minutes: number): Promise<ReadonlyMap<string, Checkpoint>> {
    const wanted = this.checks.all.map(({ name, description, remedy }) => ({ name, description, remedy }));
    const claimed = await this.database.query<Claimed>(CLAIM, [JSON.stringify(wanted), run, minutes]);
    return new Map(claimed.map(({ name, checkpoint }) => [name, checkpoint ?? START_CHECKPOINT]));
  }

  /** Extends the lease. False when another process has taken over, because the lease had expired. */
  async renew(run: string): Promise<boolean> {
    return (await this.database.query(RENEW, [run])).length > 0;
  }

  async release(run: string): Promise<void> {
    await this.database.query(RELEASE, [run]);
  }

  async finish(run: string, startedAt: Date, results: readonly CheckResult[]): Promise<void> {
    await this.database.query(FINISH, [run, startedAt, JSON.stringify(results)]);
  }

  last(): Promise<Report[]> {
    return this.database.query<Report>(LAST);
  }
}
