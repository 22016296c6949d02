import type { JsonSchema } from './event-schema.js';

/** Keywords for readers and references, which do not affect what a schema accepts. */
const ANNOTATIONS = new Set([
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'id',
  'title',
  'description',
  'example',
  'examples',
]);
const MARKS = new Set(['x-personal', 'deprecated']);
const MAPS = new Set(['properties', 'patternProperties']);
const LISTS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const SINGLES = new Set(['items', 'additionalProperties', 'propertyNames', 'contains', 'not']);
const SETS = new Set(['required', 'enum', 'type']);

/** The keywords that decide what a schema accepts, with references resolved and sets sorted. */
export function shapeOf(schema: JsonSchema, definitions: JsonSchema = recordIn(schema, '$defs')): JsonSchema {
  const { $ref, ...own } = schema;
  if (typeof $ref === 'string') {
    const target = recordIn(definitions, $ref.replace('#/$defs/', ''));
    return shapeOf({ ...target, ...own }, definitions);
  }
  const deciding = Object.entries(schema).filter(([keyword]) => !ANNOTATIONS.has(keyword) && !MARKS.has(keyword));
  const shape = (part: unknown) => (isRecord(part) ? shapeOf(part, definitions) : part);
  return Object.fromEntries(
    deciding.map(([keyword, value]) => {
      if (SINGLES.has(keyword)) return [keyword, shape(value)];
      if (SETS.has(keyword) && Array.isArray(value)) return [keyword, value.toSorted(byText)];
      if (LISTS.has(keyword) && Array.isArray(value)) return [keyword, value.map(shape)];
      if (MAPS.has(keyword) && isRecord(value))
        return [keyword, Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shape(part)]))];
      return [keyword, value];
    }),
  );
}

function byText(one: unknown, other: unknown): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
}

export function isRecord(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns an empty record where the key has no record. */
export function recordIn(schema: JsonSchema, key: string): JsonSchema {
  const value = schema[key];
  return isRecord(value) ? value : {};
}
