import type { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { poolOf } from './pool.js';

/**
 * Lets no connection back into the pool that is still within a transaction, or from which an answer is missing: whoever
 * got it next would have its work undone with another one's, or wait in vain.
 */
export function keepConnectionsFit(dataSource: DataSource): void {
  // PostgreSQL may end a connection with the same breath in which it opens it: then nobody listens to it yet, and an error
  // that nobody hears ends the process. Whoever uses the connection gets the error all the same.
  poolOf(dataSource).on('connect', (client) => client.on('error', () => undefined));
  // The pool throws away a connection that has been ended by the time its listeners return.
  poolOf(dataSource).on('release', (_, client) => {
    if (!isFit(client)) void client.end();
  });
}

function isFit(client: Client & { readonly readyForQuery?: boolean | null }): boolean {
  return client.readyForQuery === true && client.getTransactionStatus() === 'I';
}
