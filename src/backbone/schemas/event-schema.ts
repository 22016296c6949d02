import { z } from 'zod';
import type { EventContract } from '../domain-event.js';

/** A JSON Schema (draft 2020-12), as it may be read from a file. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * What readers of an event promise to read, as JSON Schema. A field that says something about a person is marked
 * `"x-personal": true`.
 */
export function schemaOf({ data, description: means }: EventContract): JsonSchema {
  const schema = z.toJSONSchema(data, { io: 'input', cycles: 'throw', override: settle });
  return { description: means, ...schema };
}

/** By wire name: what is committed in `<module>.events.schema.json`. */
export function schemasOf(contracts: readonly EventContract[]): Record<string, JsonSchema> {
  return Object.fromEntries(contracts.map((contract) => [contract.type, schemaOf(contract)]));
}

/** A format says it all, and how zod checks it is not part of the promise. Marks of our own are called so. */
function settle({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format) delete jsonSchema.pattern;
  if (!jsonSchema.personal) return;
  delete jsonSchema.personal;
  jsonSchema['x-personal'] = true;
}
