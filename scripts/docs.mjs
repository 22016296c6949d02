import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfStale, checkNode, installIfStale, ROOT } from './setup.mjs';

// Writes the pages that are generated from the sources, into the given folder or the checkout. With --check it writes
// nothing, lists the stale pages and exits with 1.
const { values, positionals } = parseArgs({ options: { check: { type: 'boolean' } }, allowPositionals: true });
const folder = positionals[0] ?? ROOT;
const HOW_TO_CHANGE = `Nothing was written. Other running builds, and events in the log, rely on the committed schemas. Undo the change,
define the next version of the event (.v2), and publish both versions: docs/change-an-event.md`;

checkNode();
installIfStale();
buildIfStale();
const { pages } = await import('./docs/pages.mjs');
const { incompatibleChanges } = await import('./docs/events-as-data.mjs');

const incompatible = incompatibleChanges((path) => textOf(resolve(folder, path)));
if (incompatible.length > 0) {
  for (const change of incompatible) console.log(change);
  console.log(HOW_TO_CHANGE);
  process.exit(1);
}
const stale = Object.entries(pages()).filter(([path, text]) => textOf(resolve(folder, path)) !== text);
for (const [path, text] of stale) {
  console.log(values.check ? `${path} is stale: npm run docs` : `${path} written`);
  if (values.check) process.exitCode = 1;
  else write(resolve(folder, path), text);
}

function textOf(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
