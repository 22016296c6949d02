import * as fc from 'fast-check';
import { anOrder } from '../support/words.js';
import { Difference, histories, play } from './histories.js';
import { MISTAKES, type Place } from './mistakes.js';
import { inAnyOrder } from './schedules.js';
import { ModelShop, OPENING } from './shop.js';
import { type Step, same } from './step.js';

/** More commands than a mistake needs to show would be hard to understand. */
const STEPS_MAX = 4;
const RUNS_MAX = 200;

jest.setTimeout(120_000);

let shop: ModelShop;
beforeAll(async () => {
  shop = await ModelShop.open();
});
afterEach(() => {
  shop.boundary.rewrite = (sql) => sql;
});
afterAll(() => shop.close());

test.each(MISTAKES)('a history of a few steps shows it when $mistake', async ({ right, wrong, shownBy }) => {
  expect(await playAt(shownBy)).toBeUndefined();
  const wasPlanted = plant(right, wrong);

  const { failed, errorInstance } = (await playAt(shownBy)) ?? (await search(shownBy.seed));

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

/** Plays the one history that is there. Undefined: the histories have changed, and this one shows nothing any more. */
async function playAt({ replayPath, ...place }: Place) {
  try {
    const outcome = await fc.check(property(replayPath), { ...place, numRuns: 1, endOnFailure: true });
    return outcome.failed ? outcome : undefined;
  } catch {
    // There is nothing at all where it was.
    return undefined;
  }
}

/** Looks for a history and shortens it, which takes its time, so it is told where it was found. */
async function search(seed: number) {
  const outcome = await fc.check(property(), { seed, numRuns: RUNS_MAX });
  const place = `seed: ${seed}, path: '${outcome.counterexamplePath}', ${fc.stringify(outcome.counterexample)}`;
  process.stderr.write(`\nThe mistake is not where it was; mistakes.ts should say: ${place}\n\n`);
  return outcome;
}

function property(replayPath?: string): fc.IAsyncProperty<[Iterable<Step>]> {
  return fc.asyncProperty(histories(20, replayPath), (history) => play(history, shop));
}

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
