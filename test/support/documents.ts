import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The Markdown documents, as paths from the root: README.md, docs/events.md, examples/sensors/README.md … */
export async function documentsIn(root: string): Promise<string[]> {
  const below = async (folder: string) =>
    (await readdir(join(root, folder), { recursive: true })).map((path) => join(folder, path));
  const all = await Promise.all([readdir(root), below('docs'), below('examples')]);
  return all.flat().filter((path) => path.endsWith('.md'));
}

/** Links of a document to a missing file or heading, as `document: link`. */
export async function brokenLinks(root: string, document: string): Promise<string[]> {
  const text = withoutCode(await readFile(join(root, document), 'utf8'));
  const links = [...text.matchAll(/\]\(([^()\s]+)\)|^\[[^\]]+\]: (\S+)/gm)].map(
    ([, inline, named]) => inline ?? named ?? '',
  );
  const inside = links.filter((link) => !/^[a-z]+:/.test(link));
  const found = await Promise.all(inside.map((link) => exists(root, document, link)));
  return inside.filter((_, index) => !found[index]).map((link) => `${document}: ${link}`);
}

/**
 * Names in quotes, mostly of tests, that the file before them does not contain: for `[orders] “is placed”` the file of
 * `[orders]: ../src/orders.spec.ts` must contain the string 'is placed'.
 */
export async function missingNames(root: string, document: string): Promise<string[]> {
  const text = await readFile(join(root, document), 'utf8');
  const files = new Map([...text.matchAll(/^\[([\w-]+)\]: (\S+\.ts)$/gm)].map(([, label, path]) => [label, path]));
  const missing: string[] = [];
  let source = '';
  for (const [, label, name = ''] of text.matchAll(/\[([\w-]+)\](?= “)|“([^”]+)”/g)) {
    const path = files.get(label);
    if (label !== undefined) source = path ? await readFile(join(root, dirname(document), path), 'utf8') : '';
    else if (!["'", '"', '`'].some((quote) => source.includes(quote + name + quote))) missing.push(name);
  }
  return missing;
}

async function exists(root: string, document: string, link: string): Promise<boolean> {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? join(root, document) : join(root, dirname(document), decodeURI(path));
  if (!existsSync(target)) return false;
  return heading === undefined || headingsOf(await readFile(target, 'utf8')).includes(heading);
}

/** Anchors as GitHub generates them: lower case, without punctuation, with hyphens for spaces. */
function headingsOf(text: string): string[] {
  const headings = [...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function withoutCode(text: string): string {
  return text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ''));
}
