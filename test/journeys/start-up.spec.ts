import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { journey } from '../support/journey.js';
import { OldPostgres } from '../support/old-postgres.js';
import type { Program } from '../support/program.js';
import { aProduct, place, stock } from '../support/words.js';

const UNREACHABLE = 'postgres://orderly:secret@127.0.0.1:1/orderly';

/** The start fails with these sentences, and without a stack or a secret in the output. */
async function expectRefusal(shop: Program, ...sentences: readonly RegExp[]): Promise<void> {
  expect(await shop.ended).toEqual({ code: 1, signal: null });
  for (const sentence of sentences) expect(shop.output).toMatch(sentence);
  expect(shop.output).not.toMatch(/^\s+at |"stack"|secret/m);
}

test.concurrent('an invalid configuration is refused with all of its errors and their remedies', () =>
  journey(async (stage) => {
    const mistakes = { PORT: 'none', REDIS_URL: 'http://redis', WORKERS: 'maybe', OPERATORS_EMAIL: 'nobody' };

    const shop = await stage.launch(mistakes);

    await expectRefusal(shop, ...Object.keys(mistakes).map((name) => new RegExp(`^  - ${name}: .+ \\(.+\\)$`, 'm')));
  }));

test.concurrent('an unreachable database is reported with its variable', () =>
  journey(async (stage) => {
    const shop = await stage.launch({ DATABASE_URL: UNREACHABLE });

    await expectRefusal(shop, /^  - DATABASE_URL: .*ECONNREFUSED 127\.0\.0\.1:1$/m);
  }));

test.concurrent('a PostgreSQL that is too old is refused with the required version', () =>
  journey(async (stage) => {
    const old = new OldPostgres('12.22');
    stage.atEnd(() => old.stop());

    const shop = await stage.launch({ DATABASE_URL: await old.url() });

    await expectRefusal(shop, /^  - DATABASE_URL: this is PostgreSQL 12\.22; version 13 or newer is required$/m);
  }));

test.concurrent('roles of modules that the account may not use are reported with a remedy', () =>
  journey(async (stage) => {
    const { url } = await stage.database();
    const account = `plain_${randomBytes(6).toString('hex')}`;
    await stage.sql(`CREATE ROLE ${account} LOGIN PASSWORD '${account}'`);
    stage.atEnd(async () => {
      await stage.sql(`REASSIGN OWNED BY ${account} TO CURRENT_USER`);
      await stage.sql(`DROP OWNED BY ${account}`);
      await stage.sql(`DROP ROLE ${account}`);
    });
    await stage.sql(`ALTER DATABASE ${new URL(url).pathname.slice(1)} OWNER TO ${account}`);
    const mine = Object.assign(new URL(url), { username: account, password: account }).toString();

    const shop = await stage.launch({ DATABASE_URL: mine });

    await expectRefusal(shop, /^  - MODULE_ROLES: this account may not act as orderly_backbone, orderly_inventory, /m);
  }));

test.concurrent('if the default port is taken the next free one is used, but a port that was set is not replaced', () =>
  journey(async (stage) => {
    const occupant = createServer().listen(3000, '127.0.0.1');
    stage.atEnd(() => occupant.close());
    await once(occupant, 'listening').catch(() => 'It was taken already.');

    const first = await stage.shop({ PORT: '' });
    const { port } = new URL(first.url);
    const second = await stage.launch({ PORT: port });

    expect(Number(port)).toBeGreaterThan(3000);
    await expectRefusal(second, new RegExp(`^  - PORT: ${port} is taken by another program; set PORT`, 'm'));
    expect((await first.get('/health/ready')).status).toBe(200);
  }));

test.concurrent('a data folder is used by one process at a time, and can be used again after that process was killed', () =>
  journey(async (stage) => {
    const settings = { DATABASE_URL: 'embedded' };
    const first = await stage.shop(settings);
    await stock(first, aProduct('TEA', 10));
    const { id } = await place(first);
    const orphan = await stage.embeddedPid();

    const second = await stage.launch(settings);
    await expectRefusal(
      second,
      new RegExp(`^Another program \\(process ${first.pid}\\) uses the data in .+DATA_FOLDER`),
    );

    await first.kill('SIGKILL');
    expect(await stage.embeddedPid()).toBe(orphan);
    const third = await stage.shop(settings);
    expect(await stage.embeddedPid()).not.toBe(orphan);
    expect((await third.get(`/v1/orders/${id}`)).body).toMatchObject({ status: 'confirmed' });

    expect(await third.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await stage.embeddedPid()).toBeUndefined();
  }));
