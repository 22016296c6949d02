import type { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { sqlStateOf } from './database-errors.js';
import { poolOf } from './pool.js';

/** A plan whose result another build has changed, and a prepared statement that is not there any more. */
const STALE = new Set(['0A000', '26000']);

const broken = new WeakSet<Client>();

/**
 * Lets no connection back into the pool that is still within a transaction, or from which an answer is missing: whoever
 * got it next would have its work undone with another one's, or wait in vain.
 */
export function discardBrokenConnections(dataSource: DataSource): void {
  // PostgreSQL may end a connection with the same breath in which it opens it: then nobody listens to it yet, and an error
  // that nobody hears ends the process. Whoever uses the connection gets the error all the same.
  poolOf(dataSource).on('connect', (client) => client.on('error', () => undefined));
  // The pool throws away a connection that has been ended by the time its listeners return.
  poolOf(dataSource).on('release', (_, client) => {
    if (!isUsable(client)) void client.end();
  });
}

function isUsable(client: Client & { readonly readyForQuery?: boolean | null }): boolean {
  return !broken.has(client) && client.readyForQuery === true && client.getTransactionStatus() === 'I';
}

/**
 * Gives a connection up when it is released, if a prepared statement on it would fail for ever: PostgreSQL will not use
 * its plan, or does not know it because it never got past the driver.
 */
export function markBroken(client: Client, error: unknown): void {
  const state = sqlStateOf(error);
  if (state === undefined || STALE.has(state)) broken.add(client);
}
