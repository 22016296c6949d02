import * as fc from 'fast-check';
import { anOrder } from '../support/words.js';
import { Difference, histories, play } from './histories.js';
import { MISTAKES } from './mistakes.js';
import { inAnyOrder } from './schedules.js';
import { ModelShop, OPENING } from './shop.js';
import { same } from './step.js';

/** More commands than a mistake needs to show would be hard to understand. */
const STEPS_MAX = 4;
/** If the histories have changed, it has to be looked for after all. */
const RUNS_MAX = 200;

jest.setTimeout(120_000);

let shop: ModelShop;
beforeAll(async () => {
  shop = await ModelShop.open();
});
afterAll(() => shop.close());

test.each(MISTAKES)('a history of a few steps shows it when $mistake', async ({ right, wrong, shownBy }) => {
  const wasPlanted = plant(right, wrong);
  const property = fc.asyncProperty(histories(20), (history) => play(history, shop));

  const { failed, errorInstance } = await fc.check(property, { numRuns: RUNS_MAX, ...shownBy });

  expect(wasPlanted()).toBe(true);
  expect(failed).toBe(true);
  const { story } = errorInstance as Difference;
  expect(story.filter(isStep).length).toBeLessThanOrEqual(STEPS_MAX);
});

test('a schedule of two customers shows it when what is available is read without a lock', async () => {
  const wasPlanted = plant('FOR UPDATE OF s', '');
  const place = (reference: string) =>
    shop.ask('orders', { ...anOrder([{ sku: 'JAM', quantity: OPENING.JAM ?? 0 }]), reference });
  const property = inAnyOrder(shop, async (conductor) => {
    const answers = await conductor.play({ Ann: () => place('hers'), Bob: () => place('his') });

    same(
      answers.map(({ status }) => status),
      [201, 201],
    );
  });

  const { failed, errorInstance } = await fc.check(property, { numRuns: RUNS_MAX, seed: 1 });

  expect(wasPlanted()).toBe(true);
  expect(failed).toBe(true);
  // The last line of defence: PostgreSQL refuses to promise what is not there.
  expect(String(errorInstance)).toMatch(/\+ *500/);
});

/** Changes a statement on its way to PostgreSQL. Gives whether that has happened yet. */
function plant(right: string, wrong: string): () => boolean {
  let wasPlanted = false;
  shop.boundary.rewrite = (sql) => {
    wasPlanted ||= sql.includes(right);
    return sql.replace(right, wrong);
  };
  return () => wasPlanted;
}

/** Not what a step was about, and not the end that all histories have. */
function isStep(line: string): boolean {
  return !line.startsWith(' ') && line !== 'everything comes to rest';
}
