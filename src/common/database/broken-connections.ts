import type { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { sqlStateOf } from './database-errors.js';
import { poolOf } from './pool.js';

/** Another build altered the table (`cached plan must not change result type`), or the statement does not exist. */
const STALE_STATEMENT_STATES = new Set(['0A000', '26000']);

const broken = new WeakSet<Client>();

/**
 * Closes connections that are released within a transaction, or before their last answer was complete. Their next user
 * would lose its work in a rollback of that transaction, or wait for an answer that never comes.
 */
export function discardBrokenConnections(dataSource: DataSource): void {
  // PostgreSQL may close a connection while it opens it. The pool has no error listener then, and an unhandled `error`
  // event ends the process. The statement that uses the connection is rejected in any case.
  poolOf(dataSource).on('connect', (client) => client.on('error', () => undefined));
  // The pool removes a client that has ended when the listeners of `release` return.
  poolOf(dataSource).on('release', (_, client) => {
    if (!isUsable(client)) void client.end();
  });
}

function isUsable(client: Client & { readonly readyForQuery?: boolean | null }): boolean {
  return !broken.has(client) && client.readyForQuery === true && client.getTransactionStatus() === 'I';
}

/**
 * Marks a connection to be closed at its release if a prepared statement would fail on it for ever: PostgreSQL refuses
 * its cached plan, or never received the statement, because the error comes from the driver.
 */
export function markBroken(client: Client, error: unknown): void {
  const state = sqlStateOf(error);
  if (state === undefined || STALE_STATEMENT_STATES.has(state)) broken.add(client);
}
