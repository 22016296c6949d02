import type { Client, QueryConfig, QueryResult } from 'pg';
import { markBroken } from './broken-connections.js';

const names = new Map<string, string>();

/**
 * A statement that PostgreSQL parses once per connection instead of at every use. Prepared statements are kept as long
 * as the connection, so the text must be a constant: texts made at run time would accumulate.
 */
export function preparedStatement(text: string, values: readonly unknown[]): QueryConfig {
  let name = names.get(text);
  if (!name) names.set(text, (name = `orderly_${names.size + 1}`));
  return { name, text, values: [...values] };
}

/** Executes a prepared statement. A connection on which it would fail from now on is closed at its release. */
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
