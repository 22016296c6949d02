import type { EventContract } from '../domain-event.js';
import { type JsonSchema, schemasOf } from '../schemas/event-schema.js';
import { incompatibilitiesBetween } from '../schemas/schema-compatibility.js';

/**
 * Declares the tests that hold a module's contracts to their committed JSON Schemas.
 *
 * @param events what the module's events file exports
 * @param committed by wire name, from `<module>.events.schema.json`
 */
export function testSchemas(
  events: Readonly<Record<string, EventContract>>,
  committed: Readonly<Record<string, JsonSchema>>,
): void {
  const contracts = Object.values(events);

  test('no change of a contract breaks builds that run beside it, or events in the log', () => {
    expect(incompatibilitiesBetween(committed, contracts)).toEqual([]);
  });

  test('the committed schemas are those of the contracts: npm run docs writes them', () => {
    expect(schemasOf(contracts)).toEqual(committed);
  });
}
