import { anOrder, SKU_PREFIX, SKUS } from './catalogue.js';
import type { Database } from './database.js';
import { expressionOf, type Variables } from './expression.js';
import { withoutIndexes } from './without-indexes.js';

const UUID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/;
/** Followed by twelve digits. As UUIDv7, older than all ids that are created while the benchmarks run. */
const ID_PREFIX = '01900000-0000-7000-8000-';
const IDS_PER_ORDER = 64;
const SKU = SKUS[0] ?? '';
const EMAIL = anOrder([]).customer.email;
const CUSTOMERS = 10_000;
/** Interval between stored orders. The last one is older than the orders that are placed now. */
const SECONDS_APART = 0.5;

/** Tables with rows of an order, and the conditions that select these rows. */
const TABLES = {
  'orders."order"': 'id = $1::uuid',
  'orders.order_line': 'order_id = $1::uuid',
  'inventory.reservation': 'order_id = $1::uuid',
  'backbone.event': 'correlation_id = $2',
  'backbone.delivery': 'event_id IN (SELECT id FROM backbone.event WHERE correlation_id = $2)',
  'notifications.message': 'correlation_id = $2',
} as const;
type Table = keyof typeof TABLES;

interface Column {
  readonly name: string;
  readonly type: string;
  readonly value: string | null;
}

/** The rows of one order by table, column by column. */
export type Original = Readonly<Record<Table, readonly (readonly Column[])[]>>;

/** Reads all rows of an order of `SKUS[0]`. */
export async function originalOf(orderId: string, database: Database): Promise<Original> {
  const [placed] = await database.sql<{ id: string }>(
    `SELECT correlation_id AS id FROM backbone.event WHERE subject = 'order/' || $1 LIMIT 1`,
    [orderId],
  );
  const rowsIn = async (table: Table) => {
    const rows = await database.sql<{ row: Column[] }>(
      `SELECT (SELECT json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod), 'value', to_jsonb(t) ->> attname) ORDER BY attnum)
                 FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attnum > 0 AND NOT attisdropped) AS row
         FROM ${table} t WHERE ${TABLES[table]} AND ($1::text, $2::text) IS NOT NULL ORDER BY to_jsonb(t) -> 'position'`,
      [orderId, placed?.id],
    );
    return rows.map(({ row }) => row);
  };
  const names = Object.keys(TABLES) as Table[];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await rowsIn(name)]))) as Original;
}

/** Stores copies of an order, each with its own ids, times, product and customer. */
export async function storeOrders(count: number, original: Original, database: Database): Promise<void> {
  const tables = Object.keys(TABLES) as Table[];
  const others = tables.filter((table) => table !== 'backbone.event');
  await withoutIndexes(tables, database, async () => {
    // The event log alone takes as long as all other tables.
    await Promise.all([
      store(count, { original, database, tables: ['backbone.event'] }),
      store(count, { original, database, tables: others }),
    ]);
  });
  await finishLoading(database);
}

/** Replaces the deliveries of stored orders by copies of those of this original. */
export async function storeDeliveries(count: number, original: Original, database: Database): Promise<void> {
  await database.sql('TRUNCATE backbone.delivery');
  const tables = ['backbone.delivery'] as const;
  await withoutIndexes(tables, database, () => store(count, { original, database, tables }));
  await finishLoading(database);
}

interface Storing {
  readonly original: Original;
  readonly database: Database;
  readonly tables: readonly Table[];
}

async function store(count: number, { original, database, tables }: Storing): Promise<void> {
  const positions = positionsIn(original);
  for (const table of tables) {
    for (const row of original[table]) {
      const columns = row.filter(({ value }) => value !== null);
      const values = columns.map((column) => `(${valueOf(column, { count, original, positions })})::${column.type}`);
      await database.sql(
        `INSERT INTO ${table} (${columns.map(({ name }) => `"${name}"`).join(', ')}) OVERRIDING SYSTEM VALUE
         SELECT ${values.join(', ')} FROM generate_series(1, ${count}) AS n`,
      );
    }
  }
}

/** Sets the sequence of positions after the stored events, and updates the statistics of the tables. */
async function finishLoading(database: Database): Promise<void> {
  await database.sql(
    `SELECT setval(pg_get_serial_sequence('backbone.event', 'position'), max(position)) FROM backbone.event`,
  );
  await database.sql('VACUUM (ANALYZE)');
  await database.sql('CHECKPOINT');
}

interface Copying {
  readonly count: number;
  readonly original: Original;
  readonly positions: readonly number[];
}

function valueOf({ name, type, value }: Column, { count, original, positions }: Copying): string {
  const text = value ?? '';
  if (name === 'position') return `${positions[0]} + n * ${positions.length} + ${positions.indexOf(Number(text))}`;
  if (type.startsWith('timestamp'))
    return `'${text}'::timestamptz - (${count} - n) * interval '${SECONDS_APART} second'`;
  return expressionOf(text, variablesFor(original));
}

function positionsIn(original: Original): number[] {
  const all = original['backbone.event'].flatMap((row) => row.filter(({ name }) => name === 'position'));
  return all.map(({ value }) => Number(value));
}

/** SQL expressions for the values that differ from order to order: ids, SKU and e-mail address. */
function variablesFor(original: Original): Variables {
  const values = Object.values(original).flat(2);
  const ids = [...new Set(values.map(({ value }) => value ?? '').filter((value) => UUID.test(value)))].toSorted();
  const newIds = ids.map(
    (id, nr) => [id, `'${ID_PREFIX}' || (100000000000 + n::bigint * ${IDS_PER_ORDER} + ${nr})`] as const,
  );
  const first = Number(SKU.slice(SKU_PREFIX.length));
  return new Map([
    ...newIds,
    [SKU, `'${SKU_PREFIX}' || (${first} + n % ${SKUS.length})`],
    [EMAIL, `'maria.' || (n % ${CUSTOMERS}) || '@example.com'`],
  ]);
}
