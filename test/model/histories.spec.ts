import * as fc from 'fast-check';
import { histories, play } from './histories.js';
import { ModelShop } from './shop.js';

/** FC_RUNS=2000 for a long look, FC_SEED=… to see again what a failure has printed. */
const { FC_RUNS = '40', FC_SEED } = process.env;

jest.setTimeout(60_000 + Number(FC_RUNS) * 2_000);

let shop: ModelShop;
beforeAll(async () => {
  shop = await ModelShop.open();
});
afterAll(() => shop.close());

test('whatever happens, in whatever order, the shop does what its model does', () =>
  expectAlways(histories(40), (history) => play(history, shop)));

async function expectAlways<Case>(cases: fc.Arbitrary<Case>, holds: (each: Case) => Promise<void>): Promise<void> {
  const seed = FC_SEED === undefined ? {} : { seed: Number(FC_SEED) };
  await fc.assert(fc.asyncProperty(cases, holds), { numRuns: Number(FC_RUNS), includeErrorInReport: true, ...seed });
}
