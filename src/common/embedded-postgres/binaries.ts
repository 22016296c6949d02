import { cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { codeOf } from '../logging/describe-error.js';
import { type Account, isReachableBy } from './account.js';
import { EmbeddedPostgresFailed } from './embedded-postgres-failed.js';

const PLATFORMS: Readonly<Record<string, string>> = {
  'linux x64': 'linux-x64',
  'linux arm64': 'linux-arm64',
  'darwin x64': 'darwin-x64',
  'darwin arm64': 'darwin-arm64',
  'win32 x64': 'windows-x64',
};

/** Paths of PostgreSQL's programs in the npm package of this platform. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * Finds PostgreSQL's programs at a path where the given account can run them.
 * @param sharedFolder they are copied there when that account has no access to this checkout
 * @throws {EmbeddedPostgresFailed} when there are none for this platform
 */
export async function findBinaries(account: Account | null, sharedFolder: string): Promise<Binaries> {
  const { folder, version } = locate();
  const native = join(folder, 'native');
  await restoreLinks(folder);
  if (!account || (await isReachableBy(account, native))) return binariesIn(native);
  const copy = join(sharedFolder, `postgres-${version}`);
  await copyOnce(native, copy);
  return binariesIn(copy);
}

function locate(): { folder: string; version: string } {
  const platform = PLATFORMS[`${process.platform} ${process.arch}`];
  if (!platform)
    throw new EmbeddedPostgresFailed(
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch}: set DATABASE_URL to a PostgreSQL 13 or newer`,
    );
  const name = `@embedded-postgres/${platform}`;
  try {
    const require = createRequire(import.meta.url);
    const folder = dirname(dirname(require.resolve(name)));
    const { version }: { version: string } = require(join(folder, 'package.json'));
    return { folder, version };
  } catch (cause) {
    const remedy = 'install the optional dependencies (npm ci), or set DATABASE_URL to a PostgreSQL 13 or newer';
    throw new EmbeddedPostgresFailed(`The package ${name} is not installed: ${remedy}`, { cause });
  }
}

/** The libraries of the package need symbolic links. Its install script creates them, but npm may not have run it. */
async function restoreLinks(folder: string): Promise<void> {
  const list = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: Link[] = JSON.parse(list);
  for (const { source, target } of links) {
    const path = join(folder, target);
    await symlink(relative(dirname(target), source), path).catch((error: unknown) => {
      if (codeOf(error) === 'EEXIST') return;
      throw new EmbeddedPostgresFailed(`Cannot create ${path}: run npm rebuild as the owner of the checkout`, {
        cause: error,
      });
    });
  }
}

async function copyOnce(from: string, to: string): Promise<void> {
  const unfinished = `${to}.${process.pid}`;
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  await rm(unfinished, { recursive: true, force: true });
  await cp(from, unfinished, { recursive: true, verbatimSymlinks: true });
  await rename(unfinished, to).catch(() => rm(unfinished, { recursive: true }));
}

function binariesIn(native: string): Binaries {
  const path = (name: string) => join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
  return { initdb: path('initdb'), postgres: path('postgres'), pgCtl: path('pg_ctl') };
}
