import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfStale, checkNode, installIfStale, ROOT } from './setup.mjs';

// Writes the pages that follow from the sources. With --check it only tells which are stale; a folder may be named.
const { values, positionals } = parseArgs({ options: { check: { type: 'boolean' } }, allowPositionals: true });
const folder = positionals[0] ?? ROOT;
const HOW_TO_CHANGE = `Nothing was written. Builds beside this one, and events in the log, rely on the schemas that are committed. Take the change
back, define the event anew as its next version (.v2), and publish both: docs/change-an-event.md`;

checkNode();
installIfStale();
buildIfStale();
const { pages } = await import('./docs/pages.mjs');
const { brokenPromises } = await import('./docs/events-as-data.mjs');

const broken = brokenPromises((path) => textOf(resolve(folder, path)));
if (broken.length > 0) {
  for (const promise of broken) console.log(promise);
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
