import { Client } from 'pg';
import { SKU_PREFIX, SKUS } from './catalogue.js';
import type { Database } from './database.js';
import { expressionOf, type Variables } from './expression.js';
import type { Statement } from './statement.js';

/** Upper bounds for clients of pgbench and for ids of one order. Their product is the distance between id ranges. */
const CLIENTS_MAX = 64;
const IDS_MAX = 64;
const UUID = /[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}/g;
/** Followed by twelve digits of an increasing number, so that new ids are ascending, like UUIDv7. */
const ID_PREFIX = '01930000-0000-7000-8000-';

/** The statements of two orders of the same kind. */
export interface Pair {
  readonly one: readonly Statement[];
  readonly other: readonly Statement[];
}

/**
 * A pgbench script with the statements of the program. Each parameter becomes an expression of its type. In each
 * transaction, all ids of the order are replaced by new ones and the product by a random one; other values stay.
 * @param sku the product that was ordered
 */
export async function scriptOf({ one, other }: Pair, sku: string, database: Database): Promise<string> {
  const ids = newIds({ one, other });
  const variables = variablesFor(ids, sku);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    const statements: string[] = [];
    for (const statement of one) statements.push(await textOf(statement, variables, client));
    return [...settings(ids), ...inPipelines(one, statements), ''].join('\n');
  } finally {
    await client.end();
  }
}

/** The ids that occur only in the first order, sorted, which for UUIDv7 is the sequence of their creation. */
function newIds({ one, other }: Pair): string[] {
  const known = new Set(uuidsIn(other));
  const ids = [...new Set(uuidsIn(one))].filter((id) => !known.has(id)).toSorted();
  if (ids.length > IDS_MAX) throw new Error(`One order has ${ids.length} new ids; at most ${IDS_MAX} are supported`);
  return ids;
}

function uuidsIn(statements: readonly Statement[]): string[] {
  return statements.flatMap(({ sql, parameters }) => [sql, ...parameters].flatMap((text) => text?.match(UUID) ?? []));
}

function settings(ids: readonly string[]): string[] {
  const first = Number(SKUS[0]?.slice(SKU_PREFIX.length));
  return [
    '\\set turn :turn + 1',
    `\\set number :base + (:turn * ${CLIENTS_MAX} + :client_id) * ${IDS_MAX}`,
    ...ids.map((_, nr) => `\\set id${nr} :number + ${nr}`),
    `\\set product random(${first}, ${first + SKUS.length - 1})`,
  ];
}

function variablesFor(ids: readonly string[], sku: string): Variables {
  const newIds = ids.map((id, nr) => [id, `'${ID_PREFIX}' || :id${nr}`] as const);
  return new Map([...newIds, [sku, `'${SKU_PREFIX}' || :product`]]);
}

async function textOf({ sql, parameters }: Statement, variables: Variables, client: Client): Promise<string> {
  refuseVariables(sql);
  const text = sql.replace(/;\s*$/, '');
  if (parameters.length === 0) return `${text};`;
  const types = await typesIn(text, client);
  const placed = text.replaceAll(/\$(\d+)/g, (_, nr: string) => {
    const value = parameters[Number(nr) - 1] ?? null;
    return `(${value === null ? 'NULL' : expressionOf(value, variables)})::${types[Number(nr) - 1]}`;
  });
  return `${placed};`;
}

/** The types that PostgreSQL infers for the parameters of a statement. */
async function typesIn(sql: string, client: Client): Promise<string[]> {
  await client.query(`PREPARE recorded AS ${sql}`);
  const { rows } = await client.query<{ types: string[] }>(
    `SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = 'recorded'`,
  );
  await client.query('DEALLOCATE recorded');
  return rows[0]?.types ?? [];
}

/** Wraps statements that the program sent without waiting for an answer into pipelines. */
function inPipelines(statements: readonly Statement[], texts: readonly string[]): string[] {
  const isStart = (nr: number) => !statements[nr]?.isPipelined && statements[nr + 1]?.isPipelined;
  const isEnd = (nr: number) => statements[nr]?.isPipelined && !statements[nr + 1]?.isPipelined;
  return texts.flatMap((text, nr) => [
    ...(isStart(nr) ? ['\\startpipeline'] : []),
    text,
    ...(isEnd(nr) ? ['\\endpipeline'] : []),
  ]);
}

/** @throws {Error} when a part of the statement looks like a variable of pgbench */
function refuseVariables(sql: string): void {
  const variable = /(?<!:):[a-z_]\w*/i.exec(sql)?.[0];
  if (variable) throw new Error(`pgbench would replace ${variable} as a variable:\n${sql}`);
}
