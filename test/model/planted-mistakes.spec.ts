import * as fc from 'fast-check';
import { anOrder } from '../support/words.js';
import { Difference, histories, runHistory } from './histories.js';
import { MISTAKES, type Place } from './mistakes.js';
import { underAnySchedule } from './schedules.js';
import { ModelShop, OPENING } from './shop.js';
import { expectSame, type Step } from './step.js';

/** A history with more steps would be hard to understand. */
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

test.each(MISTAKES)('a short history detects that $mistake', async ({ right, wrong, shownBy }) => {
  expect(await runAt(shownBy)).toBeUndefined();
  const wasPlanted = plant(right, wrong);

  const { failed, errorInstance } = (await runAt(shownBy)) ?? (await search(shownBy.seed));

  expect(wasPlanted()).toBe(true);
  expect(failed).toBe(true);
  const { trace } = errorInstance as Difference;
  expect(trace.filter(isStep).length).toBeLessThanOrEqual(STEPS_MAX);
});

test('a schedule of two customers detects that available stock is read without a lock', async () => {
  const wasPlanted = plant('FOR UPDATE OF s', '');
  const place = (reference: string) =>
    shop.ask('orders', { ...anOrder([{ sku: 'JAM', quantity: OPENING.JAM ?? 0 }]), reference });
  const property = underAnySchedule(shop, async (interleaving) => {
    const answers = await interleaving.run({ Ann: () => place('hers'), Bob: () => place('his') });

    expectSame(
      answers.map(({ status }) => status),
      [201, 201],
    );
  });

  const { failed, errorInstance } = await fc.check(property, { numRuns: RUNS_MAX, seed: 1 });

  expect(wasPlanted()).toBe(true);
  expect(failed).toBe(true);
  // The CHECK constraint refuses the second reservation.
  expect(String(errorInstance)).toMatch(/\+ *500/);
});

/** Runs the recorded history. Undefined: the generated histories have changed, and this one no longer fails. */
async function runAt({ replayPath, ...place }: Place) {
  try {
    const outcome = await fc.check(property(replayPath), { ...place, numRuns: 1, endOnFailure: true });
    return outcome.failed ? outcome : undefined;
  } catch {
    // The path does not exist any more.
    return undefined;
  }
}

/** Searches for a failing history and shrinks it, which is slow, so it prints the parameters of the result. */
async function search(seed: number) {
  const outcome = await fc.check(property(), { seed, numRuns: RUNS_MAX });
  const place = `seed: ${seed}, path: '${outcome.counterexamplePath}', ${fc.stringify(outcome.counterexample)}`;
  process.stderr.write(
    `\nThe recorded history does not detect the mistake any more. Update shownBy in mistakes.ts: ${place}\n\n`,
  );
  return outcome;
}

function property(replayPath?: string): fc.IAsyncProperty<[Iterable<Step>]> {
  return fc.asyncProperty(histories(20, replayPath), (history) => runHistory(history, shop));
}

/** Rewrites a statement before it is sent to PostgreSQL. The returned function tells whether that has happened. */
function plant(right: string, wrong: string): () => boolean {
  let wasPlanted = false;
  shop.boundary.rewrite = (sql) => {
    wasPlanted ||= sql.includes(right);
    return sql.replace(right, wrong);
  };
  return () => wasPlanted;
}

/** Whether an entry of the trace is a step, not a detail of a step or the end that all histories have. */
function isStep(entry: string): boolean {
  return !entry.startsWith(' ') && entry !== 'complete all work';
}
