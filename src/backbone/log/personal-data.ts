import { z } from 'zod';

const HIDDEN = '•••';

/** The zod types of values that contain no other values. */
const PLAIN: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'literal', 'enum', 'null']);

/**
 * Returns the data with every field hidden that its contract marks as personal. Fields that the contract does not have
 * are hidden as well, and so are values of types that this function does not search: unions, tuples, records.
 */
export function withoutPersonalData(schema: z.core.$ZodType, data: unknown): unknown {
  if (!(schema instanceof z.ZodType) || schema.meta()?.personal === true) return HIDDEN;
  if (data === undefined || data === null) return data;
  if (schema instanceof z.ZodArray)
    return Array.isArray(data) ? data.map((item) => withoutPersonalData(schema.element, item)) : HIDDEN;
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<string, z.core.$ZodType | undefined>> = schema.shape;
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, shape[key] ? withoutPersonalData(shape[key], value) : HIDDEN]),
    );
  }
  if (isWrapper(schema)) return withoutPersonalData(schema.unwrap(), data);
  return PLAIN.has(schema.def.type) ? data : HIDDEN;
}

/** `.optional()`, `.nullable()`, `.default(…)`, `.readonly()` and the like. */
function isWrapper(schema: z.ZodType): schema is z.ZodType & { unwrap(): z.core.$ZodType } {
  return 'unwrap' in schema && typeof schema.unwrap === 'function';
}
