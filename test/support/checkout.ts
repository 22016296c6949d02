import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { linkPackages } from './packages.js';

/** The files of this checkout that installing and building read, apart from the sources. */
const SET_UP = [
  'scripts',
  'package.json',
  'package-lock.json',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

export interface Run {
  readonly code: number | null;
  /** Standard output and standard error. */
  readonly output: string;
}

/** A copy of this checkout in a folder that has a blank in its name. */
export class Checkout {
  private constructor(readonly folder: string) {}

  /** Makes a copy without sources. It shares the installed packages. */
  static async withoutSources(): Promise<Checkout> {
    const checkout = await Checkout.in(tmpdir());
    await checkout.copy(SET_UP);
    await symlink(resolve('node_modules'), checkout.path('node_modules'), 'junction');
    return checkout;
  }

  /** Makes a copy with sources, the build and packages of its own, so that the compiler continues from that build. */
  static async whole(): Promise<Checkout> {
    // On the same disk as the packages, which are hard links.
    await mkdir('.orderly', { recursive: true });
    const checkout = await Checkout.in(resolve('.orderly'));
    await checkout.copy([...SET_UP, 'src', 'dist']);
    linkPackages(checkout.folder);
    return checkout;
  }

  private static async in(parent: string): Promise<Checkout> {
    const folder = await mkdtemp(join(parent, 'checkout '));
    // An embedded PostgreSQL that root starts runs as `nobody`, who needs access to its binaries.
    await chmod(folder, 0o755);
    return new Checkout(folder);
  }

  /** Runs a Node program of the checkout until it ends. */
  run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Run {
    return this.spawn(process.execPath, args, environment);
  }

  npm(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Run {
    return this.spawn('npm', args, environment);
  }

  write(path: string, text: string): Promise<void> {
    return writeFile(this.path(path), text);
  }

  path(path: string): string {
    return join(this.folder, path);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  private async copy(paths: readonly string[]): Promise<void> {
    for (const path of paths) await cp(path, this.path(path), { recursive: true, preserveTimestamps: true });
  }

  private spawn(program: string, args: readonly string[], environment: Readonly<Record<string, string>>): Run {
    // npm is the one that belongs to this Node.
    const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
    const env = { ...process.env, PATH, ...environment };
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: this.folder, env, encoding: 'utf8' });
    return { code: status, output: stdout + stderr };
  }
}
