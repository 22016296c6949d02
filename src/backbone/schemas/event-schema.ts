import { z } from 'zod';
import type { EventContract } from '../domain-event.js';

/** A JSON Schema (draft 2020-12), possibly read from a file. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema of the data that readers of an event accept. A field with personal data is marked
 * `"x-personal": true`.
 */
export function schemaOf({ data, description }: EventContract): JsonSchema {
  const schema = z.toJSONSchema(data, { io: 'input', cycles: 'throw', override: normalise });
  return { description, ...schema };
}

/** The schemas by wire name: the content of `<module>.events.schema.json`. */
export function schemasOf(contracts: readonly EventContract[]): Record<string, JsonSchema> {
  return Object.fromEntries(contracts.map((contract) => [contract.type, schemaOf(contract)]));
}

/**
 * Removes the patterns by which zod checks formats, which are not part of the contract. Own marks get the prefix `x-`.
 */
function normalise({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format) delete jsonSchema.pattern;
  if (!jsonSchema.personal) return;
  delete jsonSchema.personal;
  jsonSchema['x-personal'] = true;
}
