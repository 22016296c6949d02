import type { EventContract } from '../domain-event.js';

/** What a contract once promised: an event of it as it may lie in a log or travel on a wire for years. */
interface Golden {
  readonly subject: string;
  readonly data: object;
}

/**
 * Declares the tests that hold a module's contracts to one golden example each. An example is written once and then
 * kept: a change of the contract that breaks it needs a new version of the event, not a new example.
 *
 * @param events what the module's events file exports
 * @param examples by wire name, from `<module>.events.golden.json`
 */
export function testGoldenEvents(
  events: Readonly<Record<string, EventContract>>,
  examples: Readonly<Record<string, Golden>>,
): void {
  const contracts = Object.values(events);

  test('every contract has its golden example, and every example its contract', () => {
    expect(Object.keys(examples).sort()).toEqual(contracts.map(({ type }) => type).sort());
  });

  test.each(contracts.map((contract) => ({ contract, type: contract.type })))(
    '$type still means what its golden example says, and is plain JSON',
    ({ contract, type }) => {
      const { subject, data } = examples[type] ?? { subject: '', data: {} };

      const fact = contract(contract.data.parse(data));

      expect(fact).toStrictEqual({ type, subject, data });
      expect(JSON.parse(JSON.stringify(fact))).toStrictEqual(fact);
    },
  );
}
