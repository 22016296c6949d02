import { appendFile, cp, mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Client } from 'pg';
import type { Outcome } from './outcome.js';
import type { Rig } from './rig.js';

const KEPT = '.orderly/faults/kept';
const ROWS_AT_ONCE = 1_000;

const TABLES = `
  SELECT schemaname || '.' || tablename AS name, format('%I.%I', schemaname, tablename) AS quoted
    FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`;

/**
 * Stores the evidence of a broken promise: the records of the clients, the logs of the processes, every row of the
 * database, the received e-mails, and the outcome if there is one. Returns the folder.
 */
export async function keepEvidence(rig: Rig, seed: number, outcome?: Outcome): Promise<string> {
  const folder = resolve(KEPT, `${seed}-${basename(rig.folder)}`);
  await mkdir(folder, { recursive: true });
  const isLog = (path: string) => path === rig.folder || /[.](log|ndjson)$/.test(path);
  await cp(rig.folder, folder, { recursive: true, filter: isLog });
  await writeFile(join(folder, 'mails.ndjson'), linesOf(rig.mail.mails.map((mail) => JSON.stringify(mail))));
  if (outcome) await writeFile(join(folder, 'outcome.json'), JSON.stringify(outcome, null, 2));
  await dump(rig.postgres.url, join(folder, 'database'));
  return folder;
}

/** Writes one NDJSON file per table, all from one snapshot. */
async function dump(url: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const tables = await client.query<{ name: string; quoted: string }>(TABLES);
    for (const { name, quoted } of tables.rows) await dumpTable(client, quoted, join(folder, `${name}.ndjson`));
  } finally {
    await client.end();
  }
}

async function dumpTable(client: Client, table: string, file: string): Promise<void> {
  await writeFile(file, '');
  await client.query(`DECLARE kept CURSOR FOR SELECT to_jsonb(t)::text AS line FROM ${table} t`);
  for (;;) {
    const { rows } = await client.query<{ line: string }>(`FETCH ${ROWS_AT_ONCE} FROM kept`);
    if (rows.length === 0) break;
    await appendFile(file, linesOf(rows.map(({ line }) => line)));
  }
  await client.query('CLOSE kept');
}

function linesOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
