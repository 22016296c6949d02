import * as fc from 'fast-check';
import type { Model } from './model.js';
import type { ModelShop } from './shop.js';

/** One command of a history. */
export type Step = fc.AsyncCommand<Model, ModelShop>;

type Play = (model: Model, shop: ModelShop) => Promise<void>;

/** A command that is told to the shop and to its model, after which both look the same. */
export function step(name: string, play: Play, isPossible: (model: Readonly<Model>) => boolean = () => true): Step {
  return {
    check: isPossible,
    run: async (model, shop) => {
      model.story.push(name);
      await play(model, shop);
      same(await shop.look(), model.picture());
    },
    toString: () => name,
  };
}

/** The latest is picked most often, so that much happens to the same few things. */
export const number = fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 3, 5, 8, 13);

/** Counts back from the last, and around: any number means something where there is something. The story tells what. */
export function pick(model: Model, names: readonly string[], number: number): string {
  const name = names.at(-1 - (number % names.length));
  if (name === undefined) throw new Error('There is nothing to pick from');
  model.story.push(`  (${name})`);
  return name;
}

/** Whether the shop is, in all that is told of it, what its model says. */
export function same(shop: unknown, model: unknown): void {
  expect(shop).toEqual(model);
}

/** The same of an answer, of which only a part matters. */
export function answers(answer: unknown, part: object): void {
  expect(answer).toMatchObject(part);
}
