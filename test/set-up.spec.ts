import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { Checkout } from './support/checkout.js';

/** npm and the compiler run several times. */
jest.setTimeout(120_000);

const BUILD = ['scripts/build.mjs'];
const NEST_BUILD = ['node_modules/@nestjs/cli/bin/nest.js', 'build'];

let checkout: Checkout;

beforeEach(async () => {
  checkout = await Checkout.withoutSources();
  await mkdir(checkout.path('src'));
});
afterEach(() => checkout.remove());

test('sources are compiled once, and again after a change, by npm run build and by nest build alike', async () => {
  await checkout.write('src/main.ts', 'export const version = 1;\n');
  expect(checkout.run(BUILD)).toEqual({ code: 0, output: 'Building …\n' });
  expect(checkout.run(BUILD)).toEqual({ code: 0, output: '' });
  expect(checkout.run(['dist/main.js'])).toEqual({ code: 0, output: '' });

  await checkout.write('src/main.ts', 'export const version = 2;\n');
  await checkout.write('src/greet.ts', "process.stdout.write('Hello');\n");
  expect(checkout.run(NEST_BUILD)).toEqual({ code: 0, output: '' });
  expect(checkout.run(['dist/greet.js'])).toEqual({ code: 0, output: 'Hello' });
  expect(checkout.run(BUILD)).toEqual({ code: 0, output: '' });

  await checkout.write('src/main.ts', 'export const version = 1;\n');
  await rm(checkout.path('src/greet.ts'));
  expect(checkout.run(BUILD)).toEqual({ code: 0, output: 'Building …\n' });
  expect(existsSync(checkout.path('dist/greet.js'))).toBe(false);
});

test('sources that do not compile are refused until they do, also after nest build', async () => {
  await checkout.write('src/main.ts', 'export const version: number = "one";\n');

  expect(checkout.run(NEST_BUILD).code).toBe(1);
  expect(existsSync(checkout.path('dist/main.js'))).toBe(false);
  const refused = checkout.run(BUILD);
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(/error TS2322[^]+The sources do not compile\.\n$/);

  await checkout.write('src/main.ts', 'export const version = 1;\n');
  expect(checkout.run(BUILD)).toEqual({ code: 0, output: 'Building …\n' });
});

test('development and optional packages are installed in production too, and only while one is missing', async () => {
  const production = { NODE_ENV: 'production', npm_config_omit: 'dev', npm_config_offline: 'true' };
  const install = ['--input-type=module', '--eval', "(await import('./scripts/setup.mjs')).installIfStale()"];
  await rm(checkout.path('node_modules'));
  for (const name of ['compiler', 'server']) {
    await mkdir(checkout.path(name));
    await checkout.write(`${name}/package.json`, JSON.stringify({ name, version: '1.0.0' }));
  }
  expect(checkout.npm(['pack', './compiler', './server']).code).toBe(0);
  const devDependencies = { compiler: 'file:compiler-1.0.0.tgz' };
  const optionalDependencies = { server: 'file:server-1.0.0.tgz' };
  await checkout.write('package.json', JSON.stringify({ name: 'checkout', devDependencies, optionalDependencies }));
  await rm(checkout.path('package-lock.json'));
  expect(checkout.npm(['install', '--package-lock-only'], production).code).toBe(0);

  expect(checkout.run(install, production).output).toContain('Installing packages');
  expect(existsSync(checkout.path('node_modules/compiler'))).toBe(true);
  expect(existsSync(checkout.path('node_modules/server'))).toBe(true);
  expect(checkout.run(install, production)).toEqual({ code: 0, output: '' });

  expect(checkout.npm(['ci', '--omit=dev'], production).code).toBe(0);
  expect(existsSync(checkout.path('node_modules/compiler'))).toBe(false);
  expect(checkout.run(install, production).output).toContain('Updating packages');
  expect(existsSync(checkout.path('node_modules/compiler'))).toBe(true);
});
