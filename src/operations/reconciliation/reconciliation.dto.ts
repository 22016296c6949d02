import { z } from 'zod';
import { text } from '../../common/http/fields.js';
import { reason } from '../operator-api/deliveries.dto.js';

/** Findings of a check, and ids, that a response lists at most. */
export const SHOWN_MAX = 100;

const LEFT_REASONS = ['no-safe-repair', 'agrees-by-now', 'in-another-process'] as const;

/** Why a repair does not change a finding. */
export type LeftReason = (typeof LEFT_REASONS)[number];

const findingView = z.object({
  subject: z.string().meta({ description: 'Subject of the mismatch' }),
  expected: z.string(),
  found: z.string(),
  delivery: z
    .string()
    .nullable()
    .meta({ description: 'The delivery that a repair runs; null where only a person can correct the mismatch' }),
});

const checkView = z
  .object({
    check: z.string(),
    means: z.string().meta({ description: 'The rule that the check proves' }),
    remedy: z.string().meta({ description: 'What to do about a mismatch' }),
    running: z.boolean(),
    startedAt: z.iso.datetime().nullable(),
    finishedAt: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'End of the last completed run; null when there is none' }),
    error: z.string().nullable().meta({
      description: 'Error of the last run, if it failed; the findings are then those of the last completed run',
    }),
    lookedAt: z.int().meta({ description: 'Number of rows or events that were checked' }),
    found: z.int().meta({ description: 'Number of mismatches that still existed after the grace period' }),
    findings: z.array(findingView).meta({ description: `The first ${SHOWN_MAX} mismatches` }),
  })
  .meta({ id: 'ReconciliationCheck' });

export const reconciliationView = z
  .object({
    running: z.boolean().meta({ description: 'true: some checks are running; the others show their last result' }),
    finishedAt: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'End of the check that completed the longest time ago' }),
    found: z.int().meta({ description: 'Number of findings of all checks' }),
    failed: z.int().meta({ description: 'Number of checks whose last run failed' }),
    repairable: z.int().meta({ description: 'Number of findings that a repair can resolve' }),
    checks: z.array(checkView),
  })
  .meta({ id: 'Reconciliation' });

export type ReconciliationView = z.infer<typeof reconciliationView>;

export const repairBody = z
  .strictObject({
    check: text(100).optional().meta({ description: 'Repairs only the findings of this check' }),
    subject: text(200).optional().meta({ description: 'Repairs only the findings of this subject' }),
    reason: reason.optional().meta({ description: 'For the audit; not needed for a preview' }),
    preview: z.boolean().default(false).meta({ description: 'true: changes nothing, and returns what would happen' }),
  })
  .meta({ id: 'RepairRequest' });

export type RepairOptions = z.output<typeof repairBody>;

export const repairView = z
  .object({
    preview: z.boolean().meta({ description: 'true: nothing was changed; the fields show what would happen' }),
    mended: z.int().meta({ description: 'Number of deliveries that are due now' }),
    sideEffects: z
      .int()
      .meta({ description: 'Number of these deliveries that run a side effect, which may repeat its effect' }),
    left: z
      .array(z.object({ reason: z.enum(LEFT_REASONS), count: z.int() }))
      .meta({ description: 'Findings that were not changed, by reason' }),
    ids: z.array(z.string()).meta({ description: `The deliveries; at most ${SHOWN_MAX}` }),
  })
  .meta({ id: 'Repair' });

export type RepairView = z.infer<typeof repairView>;
