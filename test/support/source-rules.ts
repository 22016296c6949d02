import { readdir, readFile } from 'node:fs/promises';
import { join, posix, sep } from 'node:path';

const LINES_MAX = 180;
/** `FROM orders.order`, `JOIN "orders".order`, `REFERENCES orders.order (id)`: where SQL names a schema. */
const SCHEMA_IN_SQL =
  /\b(?:FROM|JOIN|INTO|UPDATE|ONLY|REFERENCES|TABLE|VIEW|SEQUENCE|FUNCTION|PROCEDURE|ON|EXISTS|CALL)\s+"?([a-z_]+)"?\s*\.\s*"?[a-z_]+/gi;

export interface SourceFile {
  /** From the root, with slashes: `src/orders/order.entity.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Rules for the path and the text of a file. Each returns a problem, or undefined. */
export const sourceRules = {
  'only config.ts reads the environment': ({ path, text }) =>
    path !== 'src/config.ts' && /\bprocess\s*(\?\.|\.)\s*env\b|\benv\b[^;=]*\}\s*=\s*process\b/.test(text)
      ? 'reads process.env: add the variable to src/config.ts and inject CONFIG'
      : undefined,

  'an import two folders up leads to a room below, and none goes further': ({ path, text }) => {
    if (/\.spec\.ts$|\/testing\//.test(path)) return undefined;
    const far = [...text.matchAll(/(?:from|import) '(\.\.\/\.\.\/[^']*)'/g)].map(([, specifier = '']) => specifier);
    const room = roomOf(path);
    const below = BELOW[room ?? ''] ?? ['common', 'backbone', 'operations', 'config.js'];
    const lost = far.find((specifier) => {
      const [src, target = ''] = posix.join(path, '..', specifier).split('/');
      return specifier.startsWith('../../../') || src !== 'src' || !below.includes(target);
    });
    return lost && `imports ${lost}: the file is in the wrong folder, or imports one that is`;
  },

  'there are no barrel files': ({ path }) =>
    path.endsWith('/index.ts') ? 'is a barrel: import the file that declares the name' : undefined,

  'a file has at most 180 lines': ({ path, text }) =>
    !/\.spec\.ts$|\/migrations\//.test(path) && text.split('\n').length - 1 > LINES_MAX
      ? `has more than ${LINES_MAX} lines: move one of its ideas to another file`
      : undefined,

  'durations are measured with a monotonic clock': ({ path, text }) =>
    !/\.spec\.ts$|\/testing\//.test(path) && /(?<!getTime\(\) - )Date\.now\(\)(?! - \w+\.getTime)/.test(text)
      ? 'reads Date.now(): use performance.now() for durations, and new Date() for times of day'
      : undefined,

  'modules are flat': ({ path }) =>
    /^src\/(?!(common|backbone|operations)\/)[^/]+\/(?!(migrations|templates)\/)[^/]+\//.test(path)
      ? 'is in a sub-folder: move it beside the other files of its module'
      : undefined,

  'entities are in entity files': ({ path, text }) =>
    /^@Entity\(/m.test(text) && !/\.(entity|spec)\.ts$/.test(path)
      ? 'has an entity: move it to <name>.entity.ts'
      : undefined,

  'SQL stays in the schema of its module': ({ path, text }, modules) => {
    if (path.endsWith('.spec.ts')) return undefined;
    const schemas = ['backbone', ...modules];
    const foreign = schemasInSql(text).filter((schema) => schemas.includes(schema) && schema !== schemaOf(path));
    return foreign.length > 0 ? `has SQL on ${foreign.join(', ')}: subscribe to its events instead` : undefined;
  },

  'entities name the schema of their module': ({ path, text }) => {
    const entities = text.match(/@Entity\([^)]*\)/g) ?? [];
    return entities.some((entity) => !entity.includes(`schema: '${schemaOf(path)}'`))
      ? `has an entity without the schema ${schemaOf(path)}`
      : undefined;
  },
} satisfies Record<string, (file: SourceFile, modules: readonly string[]) => string | undefined>;

/** The rooms, each with the rooms that it may import. Every other folder of src is a business module. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  common: ['common'],
  backbone: ['common'],
  operations: ['common', 'backbone'],
};

function roomOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

/** All tables of the rooms are in one schema. */
function schemaOf(path: string): string | undefined {
  const room = roomOf(path);
  return room !== undefined && room in BELOW ? 'backbone' : room;
}

export type SourceRule = keyof typeof sourceRules;

/** Schemas that the SQL in a text names. */
export function schemasInSql(text: string): string[] {
  return [...new Set([...text.matchAll(SCHEMA_IN_SQL)].map(([, schema = '']) => schema.toLowerCase()))];
}

/** All problems of the sources below a folder, as `rule: file problem`. */
export async function sourceProblems(root: string): Promise<string[]> {
  const [files, modules] = await Promise.all([sourcesIn(root), modulesIn(root)]);
  return Object.entries(sourceRules).flatMap(([rule, check]) =>
    files.flatMap((file) => {
      const problem = check(file, modules);
      return problem ? [`${rule}: ${file.path} ${problem}`] : [];
    }),
  );
}

/** The business modules: every folder of src except the rooms. */
export async function modulesIn(root: string): Promise<string[]> {
  const entries = await readdir(join(root, 'src'), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return folders.filter((name) => !(name in BELOW)).toSorted();
}

async function sourcesIn(root: string): Promise<SourceFile[]> {
  const paths = await readdir(join(root, 'src'), { recursive: true });
  return Promise.all(
    paths
      .filter((path) => path.endsWith('.ts'))
      .map(async (path) => ({
        path: `src/${path.split(sep).join('/')}`,
        text: await readFile(join(root, 'src', path), 'utf8'),
      })),
  );
}
