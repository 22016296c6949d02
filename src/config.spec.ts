import { ConfigInvalid } from './common/config/environment.js';
import { environmentSchema, readConfig } from './config.js';
import { start } from './start.js';

const problemsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems;
    throw error;
  }
};

/** For each variable, values that are refused, and a part of the remedy that the error names. */
const REFUSED: Readonly<Record<string, readonly [values: readonly string[], remedy: string]>> = {
  NODE_ENV: [['prod', 'Production'], '"development"|"production"|"test"'],
  PORT: [['http', '-1', '65536', '80.5'], 'Give a whole number from 0 to 65535'],
  MODULES: [['orders, inventory', 'Orders', 'orders,', ','], 'Give module names separated by commas'],
  DATABASE_URL: [['mysql://db/shop', 'localhost', 'postgres://'], 'Give a URL that starts with postgres://'],
  DATABASE_POOL_SIZE: [['1', '1001', 'many'], 'Give a whole number from 2 to 1000'],
  MODULE_ROLES: [['on'], '"off"|"enforced"'],
  REDIS_URL: [['localhost:6379', 'http://localhost'], 'Give a URL that starts with redis:// or rediss://'],
  QUEUE_PREFIX: [['{shop}', 'a b', 'x'.repeat(33)], 'Give 1 to 32 of a-z, 0-9, _ and -'],
  WORKERS: [['yes', '1'], '"on"|"off"'],
  WORKER_CONCURRENCY: [['0', '201'], 'Give a whole number from 1 to 200'],
  BACKLOG_MAX: [['-1', '1000000001', 'many'], 'Give a whole number from 0 to 1000000000'],
  SMTP_URL: [['mail.example', 'http://mail.example'], 'Give a URL that starts with smtp:// or smtps://'],
  MAIL_FROM: [['Our Shop', '@', 'a@b, c@d', 'Shop <shop>'], 'Give a sender such as "Our Shop <shop@example.com>"'],
  OPERATORS_EMAIL: [['operators', 'a@b.example,c@d.example'], 'Invalid email address'],
  KEEP_DELIVERIES_DAYS: [['-1', '36501', 'for ever'], 'Give a whole number from 0 to 36500'],
  KEEP_MESSAGES_DAYS: [['-1', '36501', '1.5'], 'Give a whole number from 0 to 36500'],
  RECONCILE_EVERY_MINUTES: [['-1', '10081', '1.5'], 'Give a whole number from 0 to 10080'],
  RECONCILE_GRACE_SECONDS: [['-1', '3601', '1.5'], 'Give a whole number from 0 to 3600'],
  DEMO_CATALOGUE: [['true'], '"on"|"off"'],
  LOG_LEVEL: [['loud', 'INFO'], '"fatal"|"error"|"warn"|"info"|"debug"|"trace"'],
  LOG_FORMAT: [['xml'], '"pretty"|"json"'],
  CRASH_AT: [['lunch', 'after-commit:0', 'after-commit:'], 'Give name or name:2, of before-commit, after-commit'],
};

/** Variables that accept any text. */
const FREE = ['HOST', 'DATA_FOLDER'];

const refusals = Object.entries(REFUSED).flatMap(([name, [values, remedy]]) =>
  values.map((value) => [name, value, remedy] as const),
);

describe('a configuration', () => {
  test.each(refusals)('with %s=%s is refused with a remedy', (name, value, remedy) => {
    const problems = problemsOf({ [name]: value });

    expect(problems).toEqual([expect.stringContaining(remedy)]);
    expect(problems[0]).toMatch(new RegExp(`^${name}: .+ \\(.+\\)$`));
  });

  test('is refused with all its problems at once', () => {
    const allWrong = Object.fromEntries(Object.entries(REFUSED).map(([name, [values]]) => [name, values[0] ?? '']));

    const names = problemsOf(allWrong).map((problem) => problem.split(':')[0]);

    expect(names).toEqual(Object.keys(environmentSchema.shape).filter((name) => !FREE.includes(name)));
    expect(() => readConfig(allWrong)).toThrow(/^Cannot start with this configuration:\n {2}- NODE_ENV: /);
  });

  test('takes an empty or blank variable for one that is not set', () => {
    const names = Object.keys(environmentSchema.shape);

    for (const nothing of ['', ' ', '\t'])
      expect(readConfig(Object.fromEntries(names.map((name) => [name, nothing])))).toEqual(readConfig({}));
  });

  test('ignores variables of other programs', () => {
    expect(readConfig({ PATH: '/bin', PORTS: 'many' })).toEqual(readConfig({}));
  });

  test('has defaults to try the shop on one machine', () => {
    expect(readConfig({})).toEqual({
      production: false,
      modules: null,
      http: { host: '127.0.0.1', port: 3000, isPortGiven: false },
      database: { url: 'embedded', poolSize: 20, dataFolder: '.orderly', enforceRoles: false },
      queue: { redisUrl: null, prefix: 'orderly', workers: true, concurrency: 20 },
      backlogMax: 1_000_000,
      mail: { smtpUrl: null, from: 'Orderly <shop@orderly.example>', operators: 'operators@orderly.example' },
      deliveryDays: 30,
      messageDays: 365,
      reconciliation: { everyMinutes: 60, graceSeconds: 5 },
      demoCatalogue: true,
      log: { level: 'info', format: 'pretty' },
      crashAt: null,
    });
  });

  test('arranges all variables by concern', () => {
    const config = readConfig({
      NODE_ENV: 'production',
      HOST: '0.0.0.0',
      PORT: '8080',
      MODULES: 'orders,inventory',
      DATABASE_URL: 'postgresql://shop:secret@db.example/shop',
      DATABASE_POOL_SIZE: '50',
      DATA_FOLDER: '/var/lib/orderly',
      MODULE_ROLES: 'enforced',
      REDIS_URL: 'rediss://redis.example:6380/1',
      QUEUE_PREFIX: 'shop-2',
      WORKERS: 'off',
      WORKER_CONCURRENCY: '32',
      BACKLOG_MAX: '5000',
      SMTP_URL: 'smtps://user:secret@mail.example',
      MAIL_FROM: '"Shop, Inc." <shop@shop.example>',
      OPERATORS_EMAIL: 'operators@shop.example',
      KEEP_DELIVERIES_DAYS: '7',
      KEEP_MESSAGES_DAYS: '0',
      RECONCILE_EVERY_MINUTES: '15',
      RECONCILE_GRACE_SECONDS: '0',
      DEMO_CATALOGUE: 'on',
      LOG_LEVEL: 'warn',
      LOG_FORMAT: 'pretty',
    });

    expect(config).toEqual({
      production: true,
      modules: ['orders', 'inventory'],
      http: { host: '0.0.0.0', port: 8080, isPortGiven: true },
      database: {
        url: 'postgresql://shop:secret@db.example/shop',
        poolSize: 50,
        dataFolder: '/var/lib/orderly',
        enforceRoles: true,
      },
      queue: { redisUrl: 'rediss://redis.example:6380/1', prefix: 'shop-2', workers: false, concurrency: 32 },
      backlogMax: 5_000,
      mail: {
        smtpUrl: 'smtps://user:secret@mail.example',
        from: '"Shop, Inc." <shop@shop.example>',
        operators: 'operators@shop.example',
      },
      deliveryDays: 7,
      messageDays: 0,
      reconciliation: { everyMinutes: 15, graceSeconds: 0 },
      demoCatalogue: true,
      log: { level: 'warn', format: 'pretty' },
      crashAt: null,
    });
  });

  test('never shows a secret of a refused value', () => {
    const urls = ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL'].map(
      (name) => [name, 'ftp://shop:secret@host.example'] as const,
    );

    expect(problemsOf(Object.fromEntries(urls)).join()).not.toContain('secret');
  });
});

describe('in production', () => {
  const production = { NODE_ENV: 'production', DATABASE_URL: 'postgres://db.example/shop', SMTP_URL: 'mailbox' };

  test('the embedded database must be requested by name, and crash points are refused', () => {
    expect(problemsOf({ NODE_ENV: 'production', CRASH_AT: 'after-commit' })).toEqual([
      'DATABASE_URL: in production give a PostgreSQL, or "embedded" if you want the embedded one',
      'CRASH_AT: is for tests; remove it in production',
      'SMTP_URL: in production give a mail server, or "mailbox" to keep the mails at /mailbox',
    ]);
    expect(readConfig({ ...production, DATABASE_URL: 'embedded' })).toMatchObject({
      database: { url: 'embedded' },
      mail: { smtpUrl: null },
    });
  });

  test('missing and wrong variables are reported together', () => {
    expect(problemsOf({ ...production, SMTP_URL: '', PORT: 'http' })).toEqual([
      expect.stringMatching(/^PORT: /),
      expect.stringMatching(/^SMTP_URL: in production/),
    ]);
  });

  test('logs are JSON and there is no demo catalogue', () => {
    expect(readConfig(production)).toMatchObject({ log: { format: 'json' }, demoCatalogue: false });
  });
});

test('a module that does not exist is refused before anything starts', async () => {
  const config = readConfig({ MODULES: 'orders,sales,billing', DATABASE_URL: 'postgres://127.0.0.1:1/none' });

  await expect(start(config)).rejects.toThrow(
    new ConfigInvalid(['MODULES: there is no module sales, billing; there are inventory, orders, notifications']),
  );
});
