import { appendFile, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { forwardRef, Module, type Type } from '@nestjs/common';
import { Client } from 'pg';
import { Entity, ManyToOne, PrimaryColumn } from 'typeorm';
import { MODULES } from '../src/app.module.js';
import { definitionOf, type ModuleDefinition } from '../src/backbone/business-module.js';
import { createDataSource } from '../src/common/database/data-source.js';
import { TestDatabase } from '../src/common/testing/test-database.js';
import { crossings } from './support/database-rules.js';
import { type ImportReport, importReport } from './support/import-rules.js';
import { modulesIn, type SourceRule, sourceProblems, sourceRules } from './support/source-rules.js';

/** Each check of the imports starts a separate process. */
jest.setTimeout(60_000);

const SCHEMAS = ['backbone', ...MODULES.map((module) => definitionOf(module).name)];

let testDatabase: TestDatabase;
let client: Client;

beforeAll(async () => {
  testDatabase = await TestDatabase.create();
  client = new Client({ connectionString: testDatabase.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await testDatabase.drop();
});

/** A module with more files is hard to read. */
const MODULE_FILES_MAX = 18;

describe('the boundaries hold', () => {
  test('no import violates a rule, and there are no cycles between folders', async () => {
    const { violations, folderCycles } = await importReport('.');
    expect(violations).toEqual([]);
    expect(folderCycles).toEqual([]);
  });

  test('no source violates a rule', async () => {
    expect(await sourceProblems('.')).toEqual([]);
  });

  test('every module folder has a module with the same name in MODULES', async () => {
    expect(MODULES.map((module) => definitionOf(module).name).toSorted()).toEqual(await modulesIn('.'));
  });

  test(`no module has more than ${MODULE_FILES_MAX} files beside its specs`, async () => {
    const sizes = await Promise.all(
      (await modulesIn('.')).map(async (name) => {
        const files = await readdir(join('src', name));
        return { name, files: files.filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts')).length };
      }),
    );
    expect(sizes.filter(({ files }) => files > MODULE_FILES_MAX)).toEqual([]);
  });

  test('no Nest module of a business module imports another one', () => {
    expect(MODULES.flatMap(modulesImportedBy)).toEqual([]);
  });

  test.each(MODULES.map(definitionOf))('the entities of $name depend on no other entities', async (definition) => {
    expect(await entityProblems(definition)).toEqual([]);
  });

  test('no object in PostgreSQL refers to another schema', async () => {
    expect(await crossings(client, SCHEMAS)).toEqual([]);
  });
});

/** A small program that violates no rule. */
const SHOP = [
  ['src/app.module.ts', "import './orders/orders.module.js'; import './notifications/notifications.module.js';"],
  ['src/config.ts', 'export const { PORT } = process.env;'],
  ['src/main.ts', "import './app.module.js'; import './backbone/backbone.module.js';"],
  ['src/common/values/money.ts', "import 'zod';"],
  ['src/common/http/fields.ts', "import '../values/money.js';"],
  ['src/common/testing/stage.ts', ''],
  ['src/backbone/domain-event.ts', "import 'zod';"],
  ['src/backbone/backbone.module.ts', "import './queue/queues.js'; import './log/event-log.js';"],
  ['src/backbone/queue/queues.ts', "import 'bullmq'; import '../log/event-log.js'; import '../domain-event.js';"],
  ['src/backbone/log/event-log.ts', "import '../../common/values/money.js';"],
  ['src/backbone/publishing/emitter.ts', "import '@nestjs/event-emitter';"],
  ['src/operations/checks.ts', "import '../backbone/domain-event.js';"],
  ['src/operations/audit/audit.ts', "import '../../backbone/log/event-log.js'; import '../checks.js';"],
  ['src/orders/orders.module.ts', "import './orders.controller.js';"],
  ['src/orders/orders.events.ts', "import '../backbone/domain-event.js';"],
  ['src/orders/orders.controller.ts', "import './orders.dto.js'; import './orders.service.js';"],
  ['src/orders/orders.checks.ts', "import '../operations/checks.js';"],
  ['src/orders/orders.dto.ts', ''],
  ['src/orders/orders.service.ts', "import './order.entity.js'; import './orders.events.js';"],
  ['src/orders/orders.spec.ts', "import 'bullmq'; import '../common/testing/stage.js'; import './orders.module.js';"],
  ['src/orders/order.entity.ts', "import './order-status.js';\n@Entity({ schema: 'orders' }) class Order {}"],
  ['src/orders/order-status.ts', ''],
  ['src/orders/migrations/1-create.ts', "import '../../common/http/fields.js'; 'REFERENCES orders.order (id)';"],
  ['src/notifications/notifications.module.ts', "import './notifications.reactions.js';"],
  ['src/notifications/notifications.reactions.ts', "import '../orders/orders.events.js';"],
  ['src/notifications/notifications.events.ts', ''],
  ['examples/sensors/main.ts', "import '../../src/backbone/backbone.module.js'; import './config.js';"],
  ['examples/sensors/config.ts', "import '../../src/common/http/fields.js';"],
  ['test/journey.spec.ts', "import '../src/app.module.js'; import '../src/orders/orders.events.js';"],
] as const;

/** For each rule on imports, an import that violates only this rule. */
const FORBIDDEN_IMPORTS = [
  ['modules-import-only-events-of-modules', 'src/returns/returns.service.ts', '../orders/order.entity.js'],
  ['only-app-module-imports-modules', 'src/demo.ts', './orders/orders.service.js'],
  ['app-module-imports-module-files-only', 'src/app.module.ts', './orders/orders.controller.js'],
  ['common-imports-common-only', 'src/common/report.ts', '../backbone/domain-event.js'],
  ['backbone-imports-common-only', 'src/backbone/log/report.ts', '../../operations/checks.js'],
  ['operations-imports-no-module', 'src/operations/audit/report.ts', '../../orders/orders.events.js'],
  ['room-internals-are-private', 'src/returns/returns.reactions.ts', '../backbone/log/event-log.js'],
  ['examples-use-the-backbone-and-common-only', 'examples/sensors/report.ts', '../../src/backbone/log/event-log.js'],
  ['no-imports-of-notifications', 'src/returns/returns.checks.ts', '../notifications/notifications.events.js'],
  ['events-files-import-no-internals', 'src/orders/orders.events.ts', './order-status.js'],
  ['services-import-no-controllers', 'src/orders/orders.service.ts', './orders.dto.js'],
  ['no-cycles', 'src/orders/order-status.ts', './order.entity.js'],
  ['bullmq-in-queue-folder-only', 'src/backbone/log/log.queue.ts', 'bullmq'],
  ['event-emitter-in-backbone-only', 'src/returns/returns.emitter.ts', '@nestjs/event-emitter'],
  ['modules-import-no-http-server', 'src/returns/returns.controller.ts', '@nestjs/platform-fastify'],
  ['prom-client-in-metrics-only', 'src/returns/returns.metrics.ts', 'prom-client'],
  ['program-imports-no-test-code', 'src/main.ts', './common/testing/stage.js'],
  ['imports-are-resolved', 'src/returns/returns.dto.ts', './nowhere.js'],
] as const;

/** For each rule on sources, a file that violates only this rule. */
const BAD_SOURCES: readonly (readonly [SourceRule, string, string])[] = [
  ['only config.ts reads the environment', 'src/returns/returns.service.ts', 'const { env } = process;'],
  [
    'an import two folders up leads to a room below, and none goes further',
    'src/backbone/queue/letter.ts',
    "import '../../operations/checks.js';",
  ],
  ['there are no barrel files', 'src/returns/index.ts', ''],
  ['a file has at most 180 lines', 'src/returns/returns.queries.ts', '\n'.repeat(181)],
  [
    'durations are measured with a monotonic clock',
    'src/returns/returns.store.ts',
    'const deadline = Date.now() + WAIT_MS;',
  ],
  ['modules are flat', 'src/returns/domain/return.ts', ''],
  ['entities are in entity files', 'src/returns/parcel.ts', "@Entity({ schema: 'returns' }) class Parcel {}"],
  [
    'SQL stays in the schema of its module',
    'src/returns/migrations/1-create.ts',
    'SELECT r.id FROM returns.return r LEFT JOIN "orders"."order" o ON o.id = r.order_id',
  ],
  ['entities name the schema of their module', 'src/returns/return.entity.ts', "@Entity({ schema: 'orders' })"],
];

describe('the rules can fail', () => {
  let folder: string;
  let shop: string;
  let imports: ImportReport;
  let problems: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orderly-architecture-'));
    const forbidden = FORBIDDEN_IMPORTS.map(
      ([, path, specifier]) => [path, `import type {} from '${specifier}';`] as const,
    );
    const bad = BAD_SOURCES.map(([, path, text]) => [path, text] as const);
    shop = await plant('shop', SHOP);
    imports = await importReport(await plant('importing', [...SHOP, ...forbidden]));
    problems = await sourceProblems(await plant('bad', [...SHOP, ...bad]));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('but not for correct sources', async () => {
    const { violations, folderCycles } = await importReport(shop);
    expect(violations).toEqual([]);
    expect(folderCycles).toEqual([]);
    expect(await sourceProblems(shop)).toEqual([]);
  });

  test('and each rule has a test here', () => {
    expect(FORBIDDEN_IMPORTS.map(([rule]) => rule)).toEqual(imports.rules);
    expect(BAD_SOURCES.map(([rule]) => rule)).toEqual(Object.keys(sourceRules));
  });

  test.each(FORBIDDEN_IMPORTS)('%s refuses the import in %s of %s', (rule, path) => {
    const violations = imports.violations.filter((violation) => violation.includes(`: ${path} → `));
    expect(violations).toEqual([expect.stringContaining(`${rule}: `)]);
  });

  test.each(BAD_SOURCES)('"%s" refuses %s', (rule, path) => {
    expect(problems.filter((problem) => problem.includes(`: ${path} `))).toEqual([
      expect.stringContaining(`${rule}: `),
    ]);
  });

  test('a cycle between two sub-folders of a room is found, even without a cycle of files', async () => {
    const [path, text] = ['src/backbone/log/prune.ts', "import '../queue/queues.js';"];
    const { violations, folderCycles } = await importReport(await plant('cyclic', [...SHOP, [path, text]]));
    expect(violations).toEqual([]);
    expect(folderCycles.toSorted()).toEqual([
      'src/backbone/log/prune.ts → src/backbone/queue/queues.ts',
      'src/backbone/queue/queues.ts → src/backbone/log/event-log.ts',
    ]);
  });

  test('a business module in the Nest imports of another one is found in every notation', () => {
    const [first, second, third] = MODULES as [Type, Type, Type];

    @Module({ imports: [first, { module: second }, forwardRef(() => third)] })
    class Importing {}

    expect(modulesImportedBy(Importing)).toEqual([first, second, third].map(({ name }) => name));
  });

  test('an entity that depends on one of another module is found, even if it is referred to by name', async () => {
    @Entity({ schema: 'returns', name: 'return' })
    class Return {
      @PrimaryColumn('uuid')
      declare id: string;

      @ManyToOne('Order')
      declare order: object;
    }

    expect(await entityProblems(aModuleWith(Return))).toEqual([expect.stringContaining('Return#order')]);
  });

  test('an entity in the schema of another module is found', async () => {
    @Entity({ schema: 'orders', name: 'return' })
    class Return {
      @PrimaryColumn('uuid')
      declare id: string;
    }

    expect(await entityProblems(aModuleWith(Return))).toEqual(['Return is in the schema orders']);
  });

  test.each([
    ['CREATE TABLE orders.test (sku text REFERENCES inventory.product)', 'orders.test refers to inventory.product'],
    ['CREATE VIEW orders.test AS SELECT * FROM inventory.stock', 'view orders.test'],
    ['CREATE TABLE orders.test (LIKE inventory.stock, whole inventory.stock)', 'needs type inventory.stock'],
    [
      "CREATE FUNCTION orders.test() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM inventory.stock; END'",
      'orders.test uses inventory',
    ],
    [
      'CREATE TRIGGER test BEFORE UPDATE ON inventory.product FOR EACH ROW EXECUTE FUNCTION backbone.refuse_change()',
      'trigger test on table inventory.product needs function backbone.refuse_change()',
    ],
    ['GRANT USAGE ON SCHEMA inventory TO orderly_orders', 'orderly_orders may use schema inventory'],
    ['GRANT UPDATE (name) ON inventory.product TO PUBLIC', 'orderly_orders may use inventory.product'],
    ['GRANT orderly_inventory TO orderly_orders', 'orderly_orders may use inventory.product'],
    [
      'ALTER DEFAULT PRIVILEGES IN SCHEMA inventory GRANT SELECT ON TABLES TO orderly_orders',
      'orderly_orders may use what is added to inventory',
    ],
  ])('%s is found', async (statement, sentence) => {
    await client.query('BEGIN');
    await client.query(statement);
    const found = await crossings(client, SCHEMAS);
    await client.query('ROLLBACK');

    expect(found).toContainEqual(expect.stringContaining(sentence));
  });

  /** Writes files to a folder with a link to node_modules. */
  async function plant(name: string, files: readonly (readonly [path: string, text: string])[]): Promise<string> {
    const root = join(folder, name);
    await mkdir(root);
    await symlink(resolve('node_modules'), join(root, 'node_modules'), 'junction');
    for (const [path, text] of files) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await appendFile(join(root, path), `${text}\n`);
    }
    return root;
  }
});

function modulesImportedBy(module: Type): string[] {
  const imports: (Type | { module: Type } | { forwardRef: () => Type })[] =
    Reflect.getMetadata('imports', module) ?? [];
  const types = imports.map((each) =>
    'forwardRef' in each ? each.forwardRef() : 'module' in each ? each.module : each,
  );
  return types.filter((type) => MODULES.includes(type)).map(({ name }) => name);
}

/** Problems of TypeORM with the entities of one module alone. */
async function entityProblems(definition: ModuleDefinition): Promise<string[]> {
  const dataSource = createDataSource({ url: testDatabase.url, poolSize: 1, ...definition });
  try {
    await dataSource.initialize();
  } catch (error) {
    return [String(error)];
  }
  const foreign = dataSource.entityMetadatas.filter(({ schema }) => schema !== definition.name);
  await dataSource.destroy();
  return foreign.map(({ name, schema }) => `${name} is in the schema ${schema}`);
}

function aModuleWith(entity: Type): ModuleDefinition {
  return { name: 'returns', events: {}, controllers: [], providers: [], entities: [entity], migrations: [] };
}
