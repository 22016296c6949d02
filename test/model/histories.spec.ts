import * as fc from 'fast-check';
import { histories, runHistory } from './histories.js';
import { parametersFor } from './run-parameters.js';
import { ModelShop } from './shop.js';
import type { Step } from './step.js';

const PARAMETERS = parametersFor(40, 3_000);

let shop: ModelShop;
beforeAll(async () => {
  shop = await ModelShop.open();
});
afterAll(() => shop.close());

test('after every step of a random history, the shop and its model have the same state', () =>
  expectAlways((history) => runHistory(history, shop)));

async function expectAlways(holds: (history: Iterable<Step>) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(histories(40), holds), PARAMETERS);
}
