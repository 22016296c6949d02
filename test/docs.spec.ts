import { spawnSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { MODULES } from '../src/app.module.js';
import { definitionOf } from '../src/backbone/business-module.js';
import { Subscriptions } from '../src/backbone/registry/subscriptions.js';
import { readConfig } from '../src/config.js';
import { brokenLinks, documentsIn, missingNames } from './support/documents.js';

/** A separate process writes the pages, and may have to build the program first. */
jest.setTimeout(60_000);

const SCHEMAS = ['src/inventory/inventory.events.schema.json', 'src/orders/orders.events.schema.json'];
const GENERATED = [...SCHEMAS, 'docs/asyncapi.json', 'docs/events.md', 'docs/configuration.md', '.env.example'];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orderly-docs-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the generated pages', () => {
  test('match the sources', () => {
    expect(docs('--check')).toEqual([]);
  });

  test('are written where they are missing, and a changed page is reported as stale', async () => {
    expect(docs('--check', folder)).toEqual(GENERATED.map((page) => `${page} is stale: npm run docs`));
    expect(docs(folder)).toEqual(GENERATED.map((page) => `${page} written`));
    expect(docs('--check', folder)).toEqual([]);
    await appendFile(join(folder, 'docs/events.md'), '\n');
    expect(docs('--check', folder)).toEqual(['docs/events.md is stale: npm run docs']);
  });

  test('are not written while another running build could not read the events', async () => {
    const [, path = ''] = SCHEMAS.map((file) => join(folder, file));
    const promised = JSON.parse(await readFile(path, 'utf8'));
    const placed = promised['orders.order-placed.v1'];
    placed.properties.lines.items.properties.price = { type: 'integer' };
    const text = JSON.stringify({ ...promised, 'orders.order-lost.v1': placed });
    await writeFile(path, text);

    expect(docs(folder)).toEqual([
      'orders.order-placed.v1: lines[].price was removed',
      expect.stringMatching(/^orders\.order-lost\.v1: the event was removed/),
      expect.stringMatching(/^Nothing was written\./),
      expect.stringContaining('docs/change-an-event.md'),
    ]);
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  test('name every event, its description and its subscribers', async () => {
    const page = await readFile('docs/events.md', 'utf8');
    const contracts = MODULES.flatMap((module) => Object.values(definitionOf(module).events));
    const subscribers = new Subscriptions(MODULES, () => true).all;
    const missing = [
      ...contracts.flatMap(({ type, description }) => [`\`${type}\``, description]),
      ...subscribers.map(({ name }) => `\`${name}\``),
    ].filter((text) => !page.includes(text));
    expect(missing).toEqual([]);
    expect(page).toContain('| `customer.email` | text | *personal* |');
  });

  test('list every variable with its default', async () => {
    const example = await readFile('.env.example', 'utf8');
    const { http, ...given } = readConfig(parseEnv(example.replace(/^#(?=[A-Z_]+=)/gm, '')));
    const { http: httpByDefault, ...byDefault } = readConfig({});
    expect({ ...given, ...http }).toEqual({ ...byDefault, ...httpByDefault, isPortGiven: true });
  });
});

describe('the documents', () => {
  test('link to files and headings that exist', async () => {
    const documents = await documentsIn('.');
    const broken = await Promise.all(documents.map((document) => brokenLinks('.', document)));
    expect(documents).toContain('README.md');
    expect(broken.flat()).toEqual([]);
  });

  test('are reported when a link is broken', async () => {
    await mkdir(join(folder, 'guide'), { recursive: true });
    await writeFile(join(folder, 'guide/there.md'), '# What is *there*?\n\n```\n# Not this\n```\n');
    await writeFile(
      join(folder, 'here.md'),
      `# Here
       [yes](guide/there.md) [yes](guide/there.md#what-is-there) [yes](#here) [yes](https://orderly.example) \`a[0](b)\`
       [no](guide/nowhere.md) [no](guide/there.md#not-this) [no](#there)`,
    );
    expect(await brokenLinks(folder, 'here.md')).toEqual(
      ['guide/nowhere.md', 'guide/there.md#not-this', '#there'].map((link) => `here.md: ${link}`),
    );
  });

  test('name tests that exist', async () => {
    const documents = await documentsIn('.');
    const missing = await Promise.all(documents.map((document) => missingNames('.', document)));
    expect(documents).toContain('docs/bug-classes.md');
    expect(missing.flat()).toEqual([]);
  });

  test('are reported when they name a test that does not exist', async () => {
    await writeFile(join(folder, 'some.spec.ts'), `test('is here', …); test.each(…)("isn't %s", …);`);
    await writeFile(
      join(folder, 'named.md'),
      `| [some] “is here”, “isn't %s”, “is”; [other] “is here” |\n| [some] “is gone”; [some](named.md) |\n\n[some]: some.spec.ts\n`,
    );
    expect(await missingNames(folder, 'named.md')).toEqual(['is', 'is here', 'is gone']);
  });

  test('include a README of at most 120 lines', async () => {
    expect((await readFile('README.md', 'utf8')).trimEnd().split('\n').length).toBeLessThanOrEqual(120);
  });

  test('explain every dependency, and no other', async () => {
    const { dependencies, optionalDependencies, devDependencies } = JSON.parse(await readFile('package.json', 'utf8'));
    const page = await readFile('docs/dependencies.md', 'utf8');
    const firstCells = [...page.matchAll(/^\|([^|]*)\|/gm)].map(([, cell = '']) => cell);
    const explained = firstCells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)]).map(([, name = '']) => name);
    expect(new Set(explained)).toEqual(
      new Set(Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies })),
    );
  });
});

/** The output of `npm run docs`, line by line. */
function docs(...parameters: readonly string[]): string[] {
  const program = [resolve('scripts/docs.mjs'), ...parameters];
  const { status, stdout, stderr } = spawnSync(process.execPath, program, { encoding: 'utf8' });
  if (status !== 0 && stdout === '') throw new Error(stderr);
  return stdout.split('\n').filter((line) => line !== '');
}
