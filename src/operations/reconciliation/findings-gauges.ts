import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { queryRows } from '../../common/database/query-rows.js';
import { defineGauge } from '../../common/metrics/metrics-registry.js';
import { DatabaseGauges } from '../../common/monitoring/database-gauges.js';
import { Metrics } from '../../common/monitoring/metrics.js';

interface Row {
  readonly check: string;
  readonly found: number;
  readonly hasFailed: boolean;
  /** Seconds since 1970; null when the check never completed. */
  readonly finishedAt: number | null;
}

const FINDINGS = `
  SELECT check_name AS "check", jsonb_array_length(findings) AS found, error IS NOT NULL AS "hasFailed",
         extract(epoch FROM finished_at)::float8 AS "finishedAt"
    FROM backbone.reconciliation`;

/** The results of the last reconciliation, by check. */
@Injectable()
export class FindingsGauges extends DatabaseGauges implements OnModuleInit {
  private readonly findings = defineGauge(
    {
      name: 'orderly_reconciliation_findings',
      help: 'Mismatches that the last run of the check found.',
      labelNames: ['check'],
    },
    this.registry,
  );
  private readonly failed = defineGauge(
    {
      name: 'orderly_reconciliation_failed',
      help: 'Whether the last run of the check failed.',
      labelNames: ['check'],
    },
    this.registry,
  );
  private readonly finishedAt = defineGauge(
    {
      name: 'orderly_reconciliation_last_run_timestamp_seconds',
      help: 'Time of the last completed run of the check, in seconds since 1970.',
      labelNames: ['check'],
    },
    this.registry,
  );

  constructor(private readonly metrics: Metrics) {
    super();
  }

  onModuleInit(): void {
    this.metrics.add(this);
  }

  override async read(manager: EntityManager): Promise<() => void> {
    const rows = await queryRows<Row>(manager, FINDINGS);
    return () => {
      for (const { check, found, hasFailed, finishedAt } of rows) {
        this.findings.set({ check }, found);
        this.failed.set({ check }, hasFailed ? 1 : 0);
        this.finishedAt.set({ check }, finishedAt ?? 0);
      }
    };
  }
}
