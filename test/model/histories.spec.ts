import * as fc from 'fast-check';
import { histories, play } from './histories.js';
import { parametersFor } from './run-parameters.js';
import { ModelShop } from './shop.js';
import type { Step } from './step.js';

const PARAMETERS = parametersFor(40, 3_000);

let shop: ModelShop;
beforeAll(async () => {
  shop = await ModelShop.open();
});
afterAll(() => shop.close());

test('whatever happens, in whatever order, the shop does what its model does', () =>
  expectAlways((history) => play(history, shop)));

async function expectAlways(holds: (history: Iterable<Step>) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(histories(40), holds), PARAMETERS);
}
