import { z } from 'zod';
import { personal } from '../domain-event.js';
import { withoutPersonalData } from './personal-data.js';

const name = personal(z.string());
const hidden = '•••';

describe('personal data is hidden', () => {
  test.each<[where: string, schema: z.ZodType, data: unknown, shown: unknown]>([
    ['in a field', z.object({ id: z.int(), name }), { id: 1, name: 'Maria' }, { id: 1, name: hidden }],
    [
      'in an object in an object',
      z.object({ order: z.object({ customer: z.object({ name }) }) }),
      { order: { customer: { name: 'Maria' } } },
      { order: { customer: { name: hidden } } },
    ],
    [
      'in every item of a list',
      z.object({ people: z.array(z.object({ name, role: z.string() })) }),
      { people: ['Maria', 'Paul'].map((name) => ({ name, role: 'cook' })) },
      { people: [1, 2].map(() => ({ name: hidden, role: 'cook' })) },
    ],
    ['in a list of personal values', z.object({ names: z.array(name) }), { names: ['Maria'] }, { names: [hidden] }],
    ['as a whole object', z.object({ who: personal(z.object({ name })) }), { who: { name: 'Maria' } }, { who: hidden }],
    ['as a whole list', z.object({ names: personal(z.array(z.string())) }), { names: ['Maria'] }, { names: hidden }],
    ['in an optional field', z.object({ name: name.optional() }), { name: 'Maria' }, { name: hidden }],
    ['in a nullable field', z.object({ name: name.nullable() }), { name: 'Maria' }, { name: hidden }],
    ['in a nullish field', z.object({ name: name.nullish() }), { name: 'Maria' }, { name: hidden }],
    [
      'where the mark is on the optional type',
      z.object({ name: personal(z.string().optional()) }),
      { name: 'M' },
      { name: hidden },
    ],
    ['in a field with a default', z.object({ name: name.default('nobody') }), { name: 'Maria' }, { name: hidden }],
    ['in a read-only field', z.object({ name: name.readonly() }), { name: 'Maria' }, { name: hidden }],
    [
      'in an optional object',
      z.object({ maker: z.object({ name }).optional() }),
      { maker: { name: 'Maria' } },
      { maker: { name: hidden } },
    ],
    [
      'in a field that the contract does not have',
      z.object({ id: z.int() }),
      { id: 1, name: 'Maria' },
      { id: 1, name: hidden },
    ],
    ['in a field with further rules', z.object({ name: name.min(1).max(9) }), { name: 'M' }, { name: hidden }],
    [
      'with the whole value of a type that is not searched: a record',
      z.object({ names: z.record(z.string(), name) }),
      { names: { cook: 'Maria' } },
      { names: hidden },
    ],
    [
      'with the whole value of a type that is not searched: a tuple',
      z.object({ pair: z.tuple([z.int(), name]) }),
      { pair: [1, 'Maria'] },
      { pair: hidden },
    ],
    [
      'with the whole value of a type that is not searched: a union',
      z.object({ who: z.union([z.int(), name]), why: z.union([z.object({ name }), z.null()]) }),
      { who: 'Maria', why: { name: 'Maria' } },
      { who: hidden, why: hidden },
    ],
    [
      'where the contract has a list and the data has another type',
      z.object({ names: z.array(name) }),
      { names: 'M' },
      { names: hidden },
    ],
  ])('%s', (_where, schema, data, shown) => {
    expect(withoutPersonalData(schema, data)).toEqual(shown);
  });

  test('and other data is not', () => {
    const schema = z.object({
      id: z.uuid(),
      pieces: z.int(),
      isGift: z.boolean(),
      size: z.enum(['S', 'L']),
      kind: z.literal('toy'),
      nothing: z.null(),
      price: z.strictObject({ amount: z.int(), currency: z.string().regex(/^[A-Z]{3}$/) }),
      tags: z.array(z.string()),
      note: z.string().default(''),
      gone: z.string().nullish(),
    });
    const data = {
      id: '0192f3a0-5b1e-7c3d-9f2a-4e6b8d0c1a2b',
      pieces: 2,
      isGift: false,
      size: 'S',
      kind: 'toy',
      nothing: null,
      price: { amount: 1_800, currency: 'USD' },
      tags: ['red', 'round'],
      note: 'new',
      gone: null,
    };

    expect(withoutPersonalData(schema, data)).toEqual(data);
  });
});
