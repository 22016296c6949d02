import type { JsonSchema } from './event-schema.js';

/** What says something to people and decides nothing. */
const REMARKS = new Set(['$schema', '$id', '$comment', '$defs', 'id', 'title', 'description', 'example', 'examples']);
const MARKS = new Set(['x-personal', 'deprecated']);
const MAPS = new Set(['properties', 'patternProperties']);
const LISTS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const SINGLES = new Set(['items', 'additionalProperties', 'propertyNames', 'contains', 'not']);
const SETS = new Set(['required', 'enum', 'type']);

/** The parts of a schema that decide what it accepts, with every reference put in, and in one order. */
export function shapeOf(schema: JsonSchema, definitions: JsonSchema = recordIn(schema, '$defs')): JsonSchema {
  const { $ref, ...own } = schema;
  if (typeof $ref === 'string') {
    const target = recordIn(definitions, $ref.replace('#/$defs/', ''));
    return shapeOf({ ...target, ...own }, definitions);
  }
  const deciding = Object.entries(schema).filter(([keyword]) => !REMARKS.has(keyword) && !MARKS.has(keyword));
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

/** Empty where there is none. */
export function recordIn(schema: JsonSchema, key: string): JsonSchema {
  const value = schema[key];
  return isRecord(value) ? value : {};
}
