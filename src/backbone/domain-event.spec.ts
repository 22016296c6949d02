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
  test('returns a fact with its type, its subject and its data', () => {
    expect(ToyMade({ toy: 'duck', note: 'yellow' })).toStrictEqual({
      type: 'toys.toy-made.v1',
      subject: 'toy/duck',
      data: { toy: 'duck', note: 'yellow' },
    });
  });

  test('drops fields that its schema does not have, and fills in defaults', () => {
    const input = { toy: 'duck', secret: 'cheap paint' };

    expect(ToyMade(input).data).toStrictEqual({ toy: 'duck', note: 'new' });
  });

  test.each([
    ['a missing field', {}],
    ['a field of another type', { toy: 7 }],
    ['no data', undefined],
  ])('refuses %s', (_, input) => {
    expect(() => ToyMade(input as { toy: string })).toThrow(z.ZodError);
  });

  test('has its wire name, its module and its description', () => {
    const { type, module, description, allowNoSubscribers } = ToyMade;

    expect({ type, module, description, allowNoSubscribers }).toEqual({
      type: 'toys.toy-made.v1',
      module: 'toys',
      description: 'A toy exists.',
      allowNoSubscribers: undefined,
    });
    expect(defineEvent({ ...definition, allowNoSubscribers: true }).allowNoSubscribers).toBe(true);
  });

  test('returns plain JSON', () => {
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
  ])('refuses the wire name "%s"', (type) => {
    expect(() => defineEvent({ ...definition, type })).toThrow(
      new TypeError(`${type} is not a wire name: write <module>.<fact-in-kebab-case>.v<major>`),
    );
  });

  test.each(['toys.made.v1', 'toys.toy-made-by-hand.v12'])('accepts the wire name "%s"', (type) => {
    expect(defineEvent({ ...definition, type }).type).toBe(type);
  });
});
