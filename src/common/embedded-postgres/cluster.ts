import { type ExecFileException, execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, lchown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../logging/describe-error.js';
import { type Account, isRoot, NOBODY } from './account.js';
import type { Binaries } from './binaries.js';
import { cannotUse, commandOf } from './data-folder-lock.js';
import { EmbeddedPostgresFailed } from './embedded-postgres-failed.js';

export const USER = 'orderly';
/** The longest clean stop, in seconds. Afterwards PostgreSQL is stopped without it and recovers at its next start. */
const STOP_SECONDS = 5;
/** PostgreSQL's built-in locale: the same sort order on every platform, and case-insensitive search beyond ASCII. */
const LOCALE = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];

/** The files of one embedded PostgreSQL, and the account that owns them. */
export class Cluster {
  readonly data: string;
  readonly log: string;
  private readonly passwordFile: string;

  constructor(
    readonly folder: string,
    private readonly binaries: Binaries,
    private readonly account: Account | null,
  ) {
    this.data = join(folder, 'pg');
    this.log = join(folder, 'postgres.log');
    this.passwordFile = join(folder, 'password');
  }

  /** Initialises the files on first use, also after an interrupted initialisation. Returns the password. */
  async prepare(): Promise<string> {
    if (!existsSync(this.data)) await this.initialise();
    else await this.takeBackFromRoot();
    return readFile(this.passwordFile, 'utf8').catch((cause: unknown) => {
      const remedy = `delete ${this.folder} to start with an empty database`;
      throw new EmbeddedPostgresFailed(`${this.passwordFile} cannot be read: restore it, or ${remedy}`, { cause });
    });
  }

  /** Stops a server on these files whose program was killed. A process that only reuses its pid is not touched. */
  async stopOrphan(): Promise<void> {
    const pidFile = join(this.data, 'postmaster.pid');
    const text = await readFile(pidFile, 'utf8').catch(() => '');
    if (text === '') return;
    if (/postgres/.test(commandOf(Number(text.split('\n')[0])))) await this.stop();
    await rm(pidFile, { force: true });
  }

  async stop(): Promise<void> {
    if (!existsSync(join(this.data, 'postmaster.pid'))) return;
    const stop = (mode: string) =>
      this.run(this.binaries.pgCtl, ['stop', '-D', this.data, '-m', mode, '-w', '-t', `${STOP_SECONDS}`]);
    await stop('fast').catch(() => stop('immediate'));
  }

  private async initialise(): Promise<void> {
    const unfinished = `${this.data}.new`;
    const passwordForInit = `${this.passwordFile}.new`;
    const password = randomBytes(24).toString('base64url');
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { mode: 0o700 });
    await writeFile(this.passwordFile, password, { mode: 0o600 });
    await writeFile(passwordForInit, password, { mode: 0o600 });
    if (this.account)
      for (const path of [unfinished, passwordForInit]) await chown(path, this.account.uid, this.account.gid);
    const login = ['-U', USER, '--auth=scram-sha-256', `--pwfile=${passwordForInit}`];
    await this.run(this.binaries.initdb, ['-D', unfinished, '-E', 'UTF8', ...LOCALE, ...login]);
    await rm(passwordForInit);
    await rename(unfinished, this.data);
  }

  /** PostgreSQL refuses to run as root, and on files of another account, e.g. after a `chown -R root`. */
  private async takeBackFromRoot(): Promise<void> {
    const { account, data } = this;
    if (!account || (await stat(data)).uid !== 0) return;
    const files = await readdir(data, { recursive: true });
    for (const path of [data, ...files.map((file) => join(data, file))]) await lchown(path, account.uid, account.gid);
  }

  private run(program: string, args: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const options = { cwd: this.folder, ...this.account };
      execFile(program, args, options, (error, stdout, stderr) => {
        if (error) reject(cannotRun(program, error, `${stdout}${stderr}`));
        else resolve();
      });
    });
  }
}

/** The account for PostgreSQL, which refuses to run as root: the owner of the files, or `nobody`; null: our own. */
export async function accountFor(folder: string): Promise<Account | null> {
  const existing = await stat(join(folder, 'pg')).catch(() => null);
  if (isRoot()) return existing && existing.uid !== 0 ? { uid: existing.uid, gid: existing.gid } : NOBODY;
  if (existing && process.getuid && existing.uid !== process.getuid())
    throw new EmbeddedPostgresFailed(
      `The data in ${folder} belongs to another account (${existing.uid}), which started a program here before: ` +
        'start as that account or as root, or set DATA_FOLDER to another folder',
    );
  return null;
}

/**
 * Creates a folder that other accounts may enter, whatever the umask is. The files in it have their own permissions.
 */
export async function makeFolder(folder: string): Promise<void> {
  const existing = await stat(folder).catch(() => undefined);
  if (existing?.isDirectory()) return;
  try {
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o755);
  } catch (error) {
    throw cannotUse(folder, error);
  }
}

export function cannotRun(program: string, error: ExecFileException | Error, output: string): EmbeddedPostgresFailed {
  const isMissing = codeOf(error) === 'ENOENT';
  const reason = isMissing ? 'it needs glibc, which this system does not have' : output.trim() || error.message;
  return new EmbeddedPostgresFailed(
    `${program} failed: ${reason}. Repair the cause, or set DATABASE_URL to a PostgreSQL 13 or newer`,
    { cause: error },
  );
}
