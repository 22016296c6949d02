import type { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { poolOf } from './pool.js';

/**
 * Lets no connection back into the pool that is still within a transaction, or from which an answer is missing: whoever
 * got it next would have its work undone with another one's, or wait in vain.
 */
export function keepConnectionsFit(dataSource: DataSource): void {
  // The pool throws away a connection that has been ended by the time its listeners return.
  poolOf(dataSource).on('release', (_, client) => {
    if (!isFit(client)) void client.end();
  });
}

function isFit(client: Client & { readonly readyForQuery?: boolean | null }): boolean {
  return client.readyForQuery === true && client.getTransactionStatus() === 'I';
}
