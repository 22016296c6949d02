import { isError } from '../logging/describe-error.js';

/** The outcome of a COMMIT could not be learned in time: the work may or may not be stored. */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknownError';
}

/** PostgreSQL answered COMMIT with ROLLBACK: an error inside the transaction was caught and passed over. */
export class RolledBack extends Error {
  override readonly name = 'RolledBackError';

  constructor() {
    super(
      'The transaction was rolled back at COMMIT, because a statement in it had failed and its error was swallowed',
    );
  }
}

/** `transactions.run` inside `transactions.run`: would take a second connection and split what must commit together. */
export class NestedTransaction extends Error {
  override readonly name = 'NestedTransactionError';

  constructor() {
    super('A transaction is open already: pass its tx on instead of opening another one');
  }
}

/** A statement came when its transaction had ended, so it could only have been stored on its own. */
export class TransactionEnded extends Error {
  override readonly name = 'TransactionEndedError';

  constructor() {
    super('The transaction has ended: await everything that is done with its tx, one thing after the other');
  }
}

/** PostgreSQL's error code of an error from `pg` or TypeORM, if it has one. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = errorChain(error).find((each) => 'code' in each && /^[0-9A-Z]{5}$/.test(String(each.code)));
  return code && 'code' in code ? String(code.code) : undefined;
}

/** The name of the constraint that refused a row, if that is what happened. */
export function violatedConstraintOf(error: unknown): string | undefined {
  const found = errorChain(error).find((each) => 'constraint' in each && typeof each.constraint === 'string');
  return found && 'constraint' in found ? String(found.constraint) : undefined;
}

const LOST =
  /Connection terminated|Client has encountered a connection error|Client was closed|already released|timeout exceeded when trying to connect|Connection ended|Query read timeout/;
const LOST_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);

/** PostgreSQL is out of reach or went away. Says nothing about whether work in flight was stored. */
export function isDatabaseLost(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state && (state.startsWith('08') || ['57P01', '57P02', '57P03', '53300'].includes(state))) return true;
  return errorChain(error).some(
    (each) => ('code' in each && LOST_CODES.has(String(each.code))) || LOST.test(each.message),
  );
}

/** There is no room left for what is to be stored. Nothing of the work was stored. */
export function isStorageFull(error: unknown): boolean {
  return sqlStateOf(error) === '53100';
}

/** Out of memory, an input or output error, or read-only since it is a standby: it may answer, but not do its work. */
const UNFIT_STATES = new Set(['53000', '53200', '53400', '58000', '58030', '25006', 'XX001', 'XX002']);

/** PostgreSQL is there and cannot do its work. Nothing of the work was stored. */
export function isDatabaseUnable(error: unknown): boolean {
  return UNFIT_STATES.has(sqlStateOf(error) ?? '');
}

/** Locks, or the machine, keep statements waiting for too long. Nothing of the work was stored. */
export function isDatabaseBusy(error: unknown): boolean {
  return isCollision(error) || ['55P03', '57014'].includes(sqlStateOf(error) ?? '');
}

/** Unique keys that only two transactions at once can violate. */
const COLLISIONS = new Set(['event_subject_version_key', 'idempotency_key_pkey']);

/** Two transactions stood in each other's way; running one of them again will do. */
export function isCollision(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '40001' || state === '40P01' || COLLISIONS.has(violatedConstraintOf(error) ?? '');
}

function errorChain(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let each = error; isError(each) && chain.length < 5; ) {
    chain.push(each);
    if ('driverError' in each && isError(each.driverError)) chain.push(each.driverError);
    if (each instanceof AggregateError) chain.push(...each.errors.filter(isError));
    each = each.cause;
  }
  return chain;
}
