import { z } from 'zod';
import { text } from '../../common/http/fields.js';
import { reason } from '../operator-api/deliveries.dto.js';

/** Most findings of a check, and most ids, that are told one by one. */
export const SHOWN_MAX = 100;

const LEFT = ['no-safe-repair', 'agrees-by-now', 'in-another-process'] as const;

/** Why a repair leaves a finding as it is. */
export type Left = (typeof LEFT)[number];

const findingView = z.object({
  subject: z.string().meta({ description: 'What it is about' }),
  expected: z.string(),
  found: z.string(),
  delivery: z
    .string()
    .nullable()
    .meta({ description: 'A repair has this delivery run; null where only a person can mend it' }),
});

const checkView = z
  .object({
    check: z.string(),
    means: z.string().meta({ description: 'What should hold' }),
    remedy: z.string().meta({ description: 'What to do where it does not' }),
    running: z.boolean(),
    startedAt: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable().meta({ description: 'null: it was never made to its end' }),
    error: z
      .string()
      .nullable()
      .meta({ description: 'Why it failed the last time; what it found is of the last time that it came to its end' }),
    lookedAt: z.int().meta({ description: 'How many rows or events were looked at' }),
    found: z.int().meta({ description: 'How many disagreed, and did so again after a moment' }),
    findings: z.array(findingView).meta({ description: `The first ${SHOWN_MAX}` }),
  })
  .meta({ id: 'ReconciliationCheck' });

export const reconciliationView = z
  .object({
    running: z.boolean().meta({ description: 'true: some checks are being made; the others show what was found last' }),
    finishedAt: z.iso.datetime().nullable().meta({ description: 'Of the check that was made longest ago' }),
    found: z.int(),
    failed: z.int().meta({ description: 'So many checks could not be made the last time' }),
    repairable: z.int().meta({ description: 'So many of those found can be mended by a repair' }),
    checks: z.array(checkView),
  })
  .meta({ id: 'Reconciliation' });

export type ReconciliationView = z.infer<typeof reconciliationView>;

export const repairBody = z
  .strictObject({
    check: text(100).optional().meta({ description: 'Only what this one found' }),
    subject: text(200).optional().meta({ description: 'Only what is about this' }),
    reason: reason.optional().meta({ description: 'For the audit; a preview needs none' }),
    preview: z.boolean().default(false).meta({ description: 'true: changes nothing, and says what would happen' }),
  })
  .meta({ id: 'RepairRequest' });

export type RepairOptions = z.output<typeof repairBody>;

export const repairView = z
  .object({
    preview: z.boolean().meta({ description: 'true: nothing was changed, and this is what would happen' }),
    mended: z.int().meta({ description: 'Deliveries that are due now' }),
    sideEffects: z.int().meta({ description: 'So many of them touch the world, and may repeat what they did to it' }),
    left: z
      .array(z.object({ reason: z.enum(LEFT), count: z.int() }))
      .meta({ description: 'Findings that are left as they are' }),
    ids: z.array(z.string()).meta({ description: `The first ${SHOWN_MAX} of those deliveries` }),
  })
  .meta({ id: 'Repair' });

export type RepairView = z.infer<typeof repairView>;
