import { CommitUnknown, isDatabaseBusy, isDatabaseLost, isDatabaseUnable, isStorageFull } from './database-errors.js';

/** What a caller is told about a database that cannot do its work. */
export interface DatabaseProblem {
  readonly code: 'database-unavailable' | 'storage-full';
  readonly detail: string;
  readonly retryAfterSeconds: number;
}

const SOON_SECONDS = 2;
/** Somebody has to make room, or to mend something. */
const LATER_SECONDS = 30;

const PROBLEMS: readonly [is: (error: unknown) => boolean, problem: DatabaseProblem][] = [
  [
    (error) => error instanceof CommitUnknown,
    unavailable('The outcome is not known: look before you try again, or repeat with the same Idempotency-Key'),
  ],
  [isDatabaseLost, unavailable('The database is out of reach: try again soon')],
  [isDatabaseBusy, unavailable('The database is too busy: try again soon')],
  [
    isStorageFull,
    {
      code: 'storage-full',
      detail: 'There is no room left to store anything, and nothing was stored: try again later',
      retryAfterSeconds: LATER_SECONDS,
    },
  ],
  [
    isDatabaseUnable,
    unavailable('The database cannot do its work, and nothing was stored: try again later', LATER_SECONDS),
  ],
];

/** Undefined where it is not the database's fault. */
export function databaseProblemOf(error: unknown): DatabaseProblem | undefined {
  return PROBLEMS.find(([is]) => is(error))?.[1];
}

function unavailable(detail: string, retryAfterSeconds = SOON_SECONDS): DatabaseProblem {
  return { code: 'database-unavailable', detail, retryAfterSeconds };
}
