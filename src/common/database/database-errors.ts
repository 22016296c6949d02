import { isError } from '../logging/describe-error.js';

/** The outcome of a COMMIT could not be found out in time: the work may or may not be stored. */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown';
}

/** PostgreSQL answered COMMIT with ROLLBACK: an error of a statement was caught and ignored. */
export class RolledBack extends Error {
  override readonly name = 'RolledBack';

  constructor() {
    super(
      'The transaction was rolled back at COMMIT, because a statement in it had failed and its error was swallowed',
    );
  }
}

/** `transactions.run` inside `transactions.run`: would take a second connection and split what must commit together. */
export class NestedTransaction extends Error {
  override readonly name = 'NestedTransaction';

  constructor() {
    super('A transaction is open already: pass its tx on instead of opening another one');
  }
}

/** A statement was sent after the end of its transaction. It would have been committed on its own. */
export class TransactionEnded extends Error {
  override readonly name = 'TransactionEnded';

  constructor() {
    super('The transaction has ended: await every call on its tx before the work returns');
  }
}

/** The SQLSTATE of an error from `pg` or TypeORM, if it has one. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = errorChain(error).find((each) => 'code' in each && /^[0-9A-Z]{5}$/.test(String(each.code)));
  return code && 'code' in code ? String(code.code) : undefined;
}

/** The name of the constraint that refused a row, if one did. */
export function violatedConstraintOf(error: unknown): string | undefined {
  const found = errorChain(error).find((each) => 'constraint' in each && typeof each.constraint === 'string');
  return found && 'constraint' in found ? String(found.constraint) : undefined;
}

/** Messages of `pg` and its pool for lost connections; their errors have no code. */
const LOST_MESSAGES =
  /Connection terminated|Client has encountered a connection error|Client was closed|already released|timeout exceeded when trying to connect|Connection ended|Query read timeout/;
const LOST_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);

/** PostgreSQL is unreachable, or the connection was lost. Work that was in progress may or may not be stored. */
export function isDatabaseLost(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state && (state.startsWith('08') || ['57P01', '57P02', '57P03', '53300'].includes(state))) return true;
  return errorChain(error).some(
    (each) => ('code' in each && LOST_CODES.has(String(each.code))) || LOST_MESSAGES.test(each.message),
  );
}

/** The disk of PostgreSQL is full. Nothing was stored. */
export function isStorageFull(error: unknown): boolean {
  return sqlStateOf(error) === '53100';
}

/** Out of memory, an input or output error, corrupted data, or read-only because the server is a standby. */
const UNABLE_STATES = new Set(['53000', '53200', '53400', '58000', '58030', '25006', 'XX001', 'XX002']);

/** PostgreSQL is reachable, but cannot execute statements. Nothing was stored. */
export function isDatabaseUnable(error: unknown): boolean {
  return UNABLE_STATES.has(sqlStateOf(error) ?? '');
}

/** A statement waited too long for a lock, or ran too long, or was the victim of a collision. Nothing was stored. */
export function isDatabaseBusy(error: unknown): boolean {
  return isCollision(error) || ['55P03', '57014'].includes(sqlStateOf(error) ?? '');
}

/** Unique constraints that only two concurrent transactions can violate. */
const COLLISION_CONSTRAINTS = new Set(['event_subject_version_key', 'idempotency_key_pkey']);

/** Serialization failure, deadlock, or two concurrent inserts of one key: running the transaction again solves it. */
export function isCollision(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '40001' || state === '40P01' || COLLISION_CONSTRAINTS.has(violatedConstraintOf(error) ?? '');
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
