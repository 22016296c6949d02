import type { EventContract } from '../domain-event.js';

/** An event as an older build may have stored or sent it. */
interface Golden {
  readonly subject: string;
  readonly data: object;
}

/**
 * Declares the tests that compare each contract of a module with a golden example. An example is written once and never
 * changed: a change of the contract that breaks it needs a new version of the event, not a new example.
 *
 * @param events the exports of the module's events file
 * @param examples by wire name, from `<module>.events.golden.json`
 */
export function testGoldenEvents(
  events: Readonly<Record<string, EventContract>>,
  examples: Readonly<Record<string, Golden>>,
): void {
  const contracts = Object.values(events);

  test('every contract has a golden example, and every example has a contract', () => {
    expect(Object.keys(examples).sort()).toEqual(contracts.map(({ type }) => type).sort());
  });

  test.each(contracts.map((contract) => ({ contract, type: contract.type })))(
    '$type still accepts its golden example unchanged, and is plain JSON',
    ({ contract, type }) => {
      const { subject, data } = examples[type] ?? { subject: '', data: {} };

      const fact = contract(contract.data.parse(data));

      expect(fact).toStrictEqual({ type, subject, data });
      expect(JSON.parse(JSON.stringify(fact))).toStrictEqual(fact);
    },
  );
}
