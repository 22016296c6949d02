import { z } from 'zod';
import { defineEvent, personal } from './domain-event.js';

const definition = {
  type: 'toys.toy-made.v1',
  description: 'A toy exists.',
  subject: ({ toy }: { toy: string }) => `toy/${toy}`,
  data: z.object({
    toy: z.string(),
    note: z.string().default('new'),
    maker: z.object({ name: personal(z.string()) }).optional(),
  }),
};
const ToyMade = defineEvent(definition);

describe('a contract', () => {
  test('states a fact about its subject, in the words of its schema', () => {
    expect(ToyMade({ toy: 'duck', note: 'yellow' })).toStrictEqual({
      type: 'toys.toy-made.v1',
      subject: 'toy/duck',
      data: { toy: 'duck', note: 'yellow' },
    });
  });

  test('states no field that it does not promise, and fills in what it promises anyway', () => {
    const input = { toy: 'duck', secret: 'cheap paint' };

    expect(ToyMade(input).data).toStrictEqual({ toy: 'duck', note: 'new' });
  });

  test.each([
    ['a field that is missing', {}],
    ['a field of another type', { toy: 7 }],
    ['nothing', undefined],
  ])('does not state %s', (_what, input) => {
    expect(() => ToyMade(input as { toy: string })).toThrow(z.ZodError);
  });

  test('says who says it, what it means, and what it is called', () => {
    const { type, module, description: means, allowNoSubscribers } = ToyMade;

    expect([type, module, means, allowNoSubscribers]).toEqual(['toys.toy-made.v1', 'toys', 'A toy exists.', undefined]);
    expect(defineEvent({ ...definition, allowNoSubscribers: true }).allowNoSubscribers).toBe(true);
  });

  test('is plain JSON on its way', () => {
    const fact = ToyMade({ toy: 'duck', maker: { name: 'Maria' } });

    expect(JSON.parse(JSON.stringify(fact))).toStrictEqual(fact);
  });

  test.each([
    'toys.toy-made',
    'toys.toy-made.v0',
    'toys.toy-made.v01',
    'toys.ToyMade.v1',
    'toys.toy_made.v1',
    'toys.toy--made.v1',
    'toy-made.v1',
    'Toys.toy-made.v1',
    'toys.toy-made.v1 ',
    'toys.more.toy-made.v1',
    '',
  ])('is not called "%s"', (type) => {
    expect(() => defineEvent({ ...definition, type })).toThrow(
      new TypeError(`${type} is no wire name: write <module>.<fact-in-kebab>.v<major>`),
    );
  });

  test.each(['toys.made.v1', 'toys.toy-made-by-hand.v12'])('may be called "%s"', (type) => {
    expect(defineEvent({ ...definition, type }).type).toBe(type);
  });
});
