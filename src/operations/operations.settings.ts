import { z } from 'zod';
import { wholeNumber } from '../common/config/config-fields.js';

/** The variables that operations reads. */
export const operationsVariables = {
  RECONCILE_EVERY_MINUTES: wholeNumber(0, 10_080)
    .default(60)
    .meta({ description: 'minutes between reconciliations of orders, stock, deliveries and messages; 0 for never' }),
  RECONCILE_GRACE_SECONDS: wholeNumber(0, 3_600).default(5).meta({
    description: 'a reconciliation skips rows that are younger, and checks a mismatch again after this time',
  }),
} as const;

export type OperationsSettings = ReturnType<typeof arrangeOperationsSettings>;

/** Injects the settings of operations. */
export const OPERATIONS_SETTINGS = Symbol('operations settings');

const variables = z.object(operationsVariables);

export function arrangeOperationsSettings(environment: z.infer<typeof variables>) {
  return {
    reconciliation: {
      everyMinutes: environment.RECONCILE_EVERY_MINUTES,
      graceSeconds: environment.RECONCILE_GRACE_SECONDS,
    },
  };
}
