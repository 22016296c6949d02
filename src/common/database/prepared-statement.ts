import type { Client, QueryConfig, QueryResult } from 'pg';
import { markBroken } from './broken-connections.js';

const names = new Map<string, string>();

/**
 * A statement that PostgreSQL reads and plans once on every connection, rather than every time. It stays there for as long
 * as the connection does, so its text must be one of a few: a constant, and nothing that was put together.
 */
export function preparedStatement(text: string, values: readonly unknown[]): QueryConfig {
  let name = names.get(text);
  if (!name) names.set(text, (name = `orderly_${names.size + 1}`));
  return { name, text, values: [...values] };
}

/** Asks for a prepared statement's answer. A connection on which it is not fit for use any more is thrown away afterwards. */
export async function executePrepared(
  client: Client,
  sql: string,
  parameters: readonly unknown[],
): Promise<QueryResult> {
  try {
    return await client.query(preparedStatement(sql, parameters));
  } catch (error) {
    markBroken(client, error);
    throw error;
  }
}
