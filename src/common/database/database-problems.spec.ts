import { QueryFailedError } from 'typeorm';
import { CommitUnknown } from './database-errors.js';
import { databaseProblemOf } from './database-problems.js';

/** An error as TypeORM passes it on. */
const failed = (code: string) =>
  new QueryFailedError('INSERT', [], Object.assign(new Error('could not extend file: No space left'), { code }));

test.each([
  ['53100', 'storage-full', 30],
  ['58030', 'database-unavailable', 30],
  ['53200', 'database-unavailable', 30],
  ['25006', 'database-unavailable', 30],
  ['57P03', 'database-unavailable', 2],
  ['57P02', 'database-unavailable', 2],
  ['53300', 'database-unavailable', 2],
  ['57014', 'database-unavailable', 2],
  ['40P01', 'database-unavailable', 2],
])('SQLSTATE %s is reported as %s, with Retry-After %i', (sqlState, code, retryAfterSeconds) => {
  expect(databaseProblemOf(failed(sqlState))).toMatchObject({ code, retryAfterSeconds });
});

test('an unknown outcome of COMMIT is reported as such, whatever its cause', () => {
  const unknown = new CommitUnknown('lost', { cause: failed('57P01') });
  expect(databaseProblemOf(unknown)).toMatchObject({ detail: expect.stringMatching('outcome is unknown') });
});

test('an error in a statement of the program is not reported as a problem of the database', () => {
  expect(databaseProblemOf(failed('42601'))).toBeUndefined();
});
