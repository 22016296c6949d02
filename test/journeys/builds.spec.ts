import { appendFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Checkout } from '../support/checkout.js';
import { journey } from '../support/journey.js';
import { linkProductionPackages } from '../support/packages.js';
import { until } from '../support/until.js';
import { aProduct, place, stock } from '../support/words.js';

/** The compiler works for four seconds on two idle processors. */
const COMPILED_WITHIN_MS = 120_000;

test.concurrent('the build runs on a server with production packages alone', () =>
  journey(async (stage) => {
    const folder = await mkdtemp(join(tmpdir(), 'orderly server '));
    stage.atEnd(() => rm(folder, { recursive: true, force: true }));
    for (const path of ['dist', 'package.json']) await cp(path, join(folder, path), { recursive: true });
    await linkProductionPackages(folder);

    const shop = await stage.shop({ NODE_ENV: 'production', SMTP_URL: 'mailbox' }, join(folder, 'dist/main.js'));
    await stock(shop, aProduct('TEA', 10));
    const { id } = await place(shop);
    await stage.quiet();

    expect((await shop.get(`/v1/orders/${id}`)).body).toMatchObject({ status: 'confirmed' });
    expect((await shop.get('/docs')).status).toBe(200);
    expect((await shop.get('/mailbox')).status).toBe(200);
  }));

test.concurrent('npm run dev restarts the program after a change of a source, and stops it in the end', () =>
  journey(async (stage) => {
    const checkout = await Checkout.whole();
    stage.atEnd(() => checkout.remove());
    const development = await stage.launch({ DATABASE_URL: 'embedded' }, checkout.path('scripts/dev.mjs'));
    try {
      await until('it has compiled', () => development.output.includes('Found 0 errors'), COMPILED_WITHIN_MS);
      await development.open();
      await stock(development, aProduct('TEA', 10));
      const { id } = await place(development);
      const database = await stage.embeddedPid();
      const urls = () => development.log.filter(({ msg }) => msg === 'Orderly is open').map(({ url }) => String(url));

      await appendFile(checkout.path('src/banner.ts'), '\n');
      await until('the program is open again', () => urls().length === 2);
      const [before = '', after = ''] = urls();
      development.url = after;

      expect((await development.get(`/v1/orders/${id}`)).body).toMatchObject({ status: 'confirmed' });
      if (before !== after) await expect(fetch(before)).rejects.toThrow('fetch failed');
      expect(await stage.embeddedPid()).toBe(database);
      expect(development.log.filter(({ level }) => level !== 'info')).toEqual([]);
    } finally {
      // It ends with the last process that shares its output.
      expect(await development.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    }
    expect(await stage.embeddedPid()).toBeUndefined();
  }));
