import { CommitUnknown, isDatabaseBusy, isDatabaseLost, isDatabaseUnable, isStorageFull } from './database-errors.js';

/** The published part of an error whose cause is the database. */
export interface DatabaseProblem {
  readonly code: 'database-unavailable' | 'storage-full';
  readonly detail: string;
  readonly retryAfterSeconds: number;
}

const SOON_SECONDS = 2;
/** An operator has to free disk space or repair something. */
const LATER_SECONDS = 30;

const PROBLEMS: readonly [is: (error: unknown) => boolean, problem: DatabaseProblem][] = [
  [
    (error) => error instanceof CommitUnknown,
    unavailable('The outcome is unknown: check it before you try again, or repeat with the same Idempotency-Key'),
  ],
  [isDatabaseLost, unavailable('The database is out of reach: try again soon')],
  [isDatabaseBusy, unavailable('The database is too busy: try again soon')],
  [
    isStorageFull,
    {
      code: 'storage-full',
      detail: 'The disk of the database is full, and nothing was stored: try again later',
      retryAfterSeconds: LATER_SECONDS,
    },
  ],
  [
    isDatabaseUnable,
    unavailable('The database cannot execute statements, and nothing was stored: try again later', LATER_SECONDS),
  ],
];

/** Undefined where the database is not the cause. */
export function databaseProblemOf(error: unknown): DatabaseProblem | undefined {
  return PROBLEMS.find(([is]) => is(error))?.[1];
}

function unavailable(detail: string, retryAfterSeconds = SOON_SECONDS): DatabaseProblem {
  return { code: 'database-unavailable', detail, retryAfterSeconds };
}
