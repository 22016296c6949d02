import { copyFileSync, linkSync, mkdirSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Package {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

/** Puts all installed packages into a folder, as hard links. */
export function linkPackages(folder: string): void {
  linkTree('node_modules', join(folder, 'node_modules'), () => true);
}

/** Puts those packages into a folder that `npm ci --omit=dev --omit=optional` installs, as hard links. */
export async function linkProductionPackages(folder: string): Promise<void> {
  const record: { packages: Record<string, Package> } = JSON.parse(
    await readFile('node_modules/.package-lock.json', 'utf8'),
  );
  // A package that is nested in another one has an entry of its own.
  const isOwn = (name: string) => name !== 'node_modules';
  for (const [path, { dev, optional, devOptional }] of Object.entries(record.packages))
    if (!dev && !optional && !devOptional) linkTree(path, join(folder, path), isOwn);
}

function linkTree(from: string, to: string, isWanted: (name: string) => boolean): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const paths = [join(from, entry.name), join(to, entry.name)] as const;
    if (entry.isFile()) linkOrCopy(...paths);
    else if (entry.isDirectory() && isWanted(entry.name)) linkTree(...paths, isWanted);
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // The target may be on another disk.
    copyFileSync(from, to);
  }
}
