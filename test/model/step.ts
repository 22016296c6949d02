import * as fc from 'fast-check';
import type { Model } from './model.js';
import type { ModelShop } from './shop.js';

/** One command of a history. */
export type Step = fc.AsyncCommand<Model, ModelShop>;

type Action = (model: Model, shop: ModelShop) => Promise<void>;

/** A step that is applied to the shop and to its model. Afterwards both must have the same state. */
export function step(name: string, action: Action, isPossible: (model: Readonly<Model>) => boolean = () => true): Step {
  return {
    check: isPossible,
    run: async (model, shop) => {
      model.trace.push(name);
      await action(model, shop);
      expectSame(await shop.readState(), model.state());
    },
    toString: () => name,
  };
}

/** Small numbers, which pick recent items, are most frequent, so that many steps affect the same items. */
export const number = fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 3, 5, 8, 13);

/** Counts back from the last item, modulo the length, so that any number is valid. Adds the choice to the trace. */
export function pick(model: Model, names: readonly string[], number: number): string {
  const name = names.at(-1 - (number % names.length));
  if (name === undefined) throw new Error('Cannot pick from an empty list');
  model.trace.push(`  (${name})`);
  return name;
}

/** Asserts that a state of the shop equals that of its model. */
export function expectSame(shop: unknown, model: unknown): void {
  expect(shop).toEqual(model);
}

/** Asserts that an answer contains the expected part. */
export function expectAnswer(answer: unknown, part: object): void {
  expect(answer).toMatchObject(part);
}
