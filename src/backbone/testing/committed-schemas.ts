import type { EventContract } from '../domain-event.js';
import { type JsonSchema, schemasOf } from '../schemas/event-schema.js';
import { incompatibilitiesBetween } from '../schemas/schema-compatibility.js';

/**
 * Declares the tests that compare a module's contracts with their committed JSON Schemas.
 *
 * @param events the exports of the module's events file
 * @param committed by wire name, from `<module>.events.schema.json`
 */
export function testSchemas(
  events: Readonly<Record<string, EventContract>>,
  committed: Readonly<Record<string, JsonSchema>>,
): void {
  const contracts = Object.values(events);

  test('no contract breaks older builds that run beside this one, or events in the log', () => {
    expect(incompatibilitiesBetween(committed, contracts)).toEqual([]);
  });

  test('the committed schemas are up to date with the contracts: npm run docs writes them', () => {
    expect(schemasOf(contracts)).toEqual(committed);
  });
}
