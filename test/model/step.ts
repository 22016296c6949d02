import type * as fc from 'fast-check';
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

/** Counts around, so that any number means something as long as there is something. The story tells what it was. */
export function pick(model: Model, names: readonly string[], number: number): string {
  const name = names[number % names.length];
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
