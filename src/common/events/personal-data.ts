import { z } from 'zod';

const HIDDEN = '•••';

/** The same data with every field hidden that its contract marks as personal. */
export function withoutPersonalData(schema: z.core.$ZodType, data: unknown): unknown {
  if (schema instanceof z.ZodType && schema.meta()?.personal === true) return HIDDEN;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable)
    return data === undefined || data === null ? data : withoutPersonalData(schema.unwrap(), data);
  if (schema instanceof z.ZodArray && Array.isArray(data))
    return data.map((item) => withoutPersonalData(schema.element, item));
  if (schema instanceof z.ZodObject && typeof data === 'object' && data !== null) {
    const shape: Readonly<Record<string, z.core.$ZodType | undefined>> = schema.shape;
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, shape[key] ? withoutPersonalData(shape[key], value) : value]),
    );
  }
  return data;
}
