import { z } from 'zod';
import { defineEvent, personal } from '../domain-event.js';
import { schemaOf, schemasOf } from './event-schema.js';
import { incompatibilities, incompatibilitiesBetween } from './schema-compatibility.js';

const price = z.strictObject({ amount: z.int().min(0).max(100), currency: z.string().regex(/^[A-Z]{3}$/) });
const shape = {
  toy: z.string(),
  child: personal(z.string()),
  colour: z.enum(['red', 'green']),
  note: z.string().optional(),
  wish: z.string().nullable(),
  price: price.meta({ id: 'ToyPrice' }),
  parts: z.array(z.object({ name: z.string(), count: z.int().optional() })),
  labels: z.record(z.string(), z.string()),
};
const part = { name: z.string(), count: z.int().optional() };

const eventOf = (data: z.ZodObject, type = 'toys.toy-built.v1') =>
  defineEvent({ type, description: 'A toy was built.', subject: () => 'toy/1', data });
const was = eventOf(z.object(shape));
const breaksWith = (changes: z.core.$ZodLooseShape) =>
  incompatibilities(schemaOf(was), schemaOf(eventOf(z.object({ ...shape, ...changes }))));
const without = (field: keyof typeof shape) => {
  const { [field]: _, ...rest } = shape;
  return incompatibilities(schemaOf(was), schemaOf(eventOf(z.object(rest))));
};

describe('a change is incompatible where', () => {
  const openPrice = { amount: z.int().min(0).max(100), currency: z.string().regex(/^[A-Z]{3}$/) };

  test.each<[string, () => string[], string]>([
    ['a required property disappears', () => without('toy'), 'toy was removed'],
    ['an optional property disappears', () => without('note'), 'note was removed'],
    ['a type changes', () => breaksWith({ toy: z.int() }), 'toy had type "string" and has type "integer"'],
    [
      'a property becomes optional',
      () => breaksWith({ toy: z.string().optional() }),
      'toy became optional, and older builds need it',
    ],
    [
      'a property becomes required',
      () => breaksWith({ note: z.string() }),
      'note became required, and older events may lack it',
    ],
    [
      'a new property is required',
      () => breaksWith({ size: z.int() }),
      'size is new and required, which older events and older builds do not have',
    ],
    [
      'a value is added to an enum',
      () => breaksWith({ colour: z.enum(['red', 'green', 'blue']) }),
      'colour had enum ["green","red"] and has enum ["blue","green","red"]',
    ],
    [
      'a value is removed from an enum',
      () => breaksWith({ colour: z.enum(['red']) }),
      'colour had enum ["green","red"] and has enum ["red"]',
    ],
    ['a string becomes an enum', () => breaksWith({ toy: z.enum(['ball']) }), 'toy had no enum and has enum ["ball"]'],
    [
      'a bound is tightened',
      () => breaksWith({ price: z.strictObject({ ...openPrice, amount: z.int().min(1).max(100) }) }),
      'price.amount had minimum 0 and has minimum 1',
    ],
    [
      'a bound is loosened',
      () => breaksWith({ price: z.strictObject({ ...openPrice, amount: z.int().min(0).max(200) }) }),
      'price.amount had maximum 100 and has maximum 200',
    ],
    ['a bound is new', () => breaksWith({ toy: z.string().max(80) }), 'toy had no maxLength and has maxLength 80'],
    [
      'a pattern changes',
      () => breaksWith({ price: z.strictObject({ ...openPrice, currency: z.string().regex(/^[A-Z]+$/) }) }),
      'price.currency had pattern "^[A-Z]{3}$" and has pattern "^[A-Z]+$"',
    ],
    ['a format is new', () => breaksWith({ toy: z.uuid() }), 'toy had no format and has format "uuid"'],
    [
      'null is not allowed any more',
      () => breaksWith({ wish: z.string() }),
      'wish had type ["null","string"] and has type "string"',
    ],
    [
      'a default changes',
      () => breaksWith({ note: z.string().default('none') }),
      'note had no default and has default "none"',
    ],
    [
      'a property of an item disappears',
      () => breaksWith({ parts: z.array(z.object({ name: part.name })) }),
      'parts[].count was removed',
    ],
    [
      'a property of an item is new and required',
      () => breaksWith({ parts: z.array(z.object({ ...part, size: z.int() })) }),
      'parts[].size is new and required, which older events and older builds do not have',
    ],
    [
      'the items get another type',
      () => breaksWith({ parts: z.array(z.string()) }),
      'parts[] had type "object" and has type "string"',
    ],
    [
      'the values of a record change',
      () => breaksWith({ labels: z.record(z.string(), z.int()) }),
      'labels.* had type "string" and has type "integer"',
    ],
    [
      'a strict object gets a property, although it is optional',
      () => breaksWith({ price: z.strictObject({ ...openPrice, tax: z.int().optional() }) }),
      'price.tax is new, and older builds refuse unknown properties here',
    ],
    [
      'an object becomes strict',
      () => breaksWith({ parts: z.array(z.strictObject(part)) }),
      'parts[] had no additionalProperties and has additionalProperties false',
    ],
  ])('%s', (_, breaks, sentence) => {
    expect(breaks()).toContain(sentence);
  });
});

describe('a change is compatible where it is', () => {
  test.each<[string, z.core.$ZodLooseShape]>([
    ['a new optional property', { size: z.int().optional() }],
    ['a new property with a default', { size: z.int().default(1) }],
    ['a new optional property of an item', { parts: z.array(z.object({ ...part, size: z.int().optional() })) }],
    ['another sequence of the values of an enum', { colour: z.enum(['green', 'red']) }],
    ['a description', { toy: z.string().meta({ description: 'The name of the toy', examples: ['ball'] }) }],
    ['a mark for personal data', { toy: personal(z.string()) }],
    ['a part that is inlined instead of referenced', { price }],
  ])('%s', (_, changes) => {
    expect(breaksWith(changes)).toEqual([]);
  });

  test('another sequence of the properties', () => {
    const reversed = Object.fromEntries(Object.entries(shape).toReversed());
    expect(incompatibilities(schemaOf(was), schemaOf(eventOf(z.object(reversed))))).toEqual([]);
  });

  test('only in names: properties named like keywords of JSON Schema are compared as properties', () => {
    const named = (type: z.ZodType) => schemaOf(eventOf(z.object({ title: type, properties: type, required: type })));

    expect(incompatibilities(named(z.string()), named(z.string()))).toEqual([]);
    expect(incompatibilities(named(z.string()), named(z.int()))).toEqual([
      expect.stringContaining('title had type "string"'),
      ...Array(2).fill(expect.stringMatching(/^title had/)),
      ...Array(3).fill(expect.stringMatching(/^properties had/)),
      ...Array(3).fill(expect.stringMatching(/^required had/)),
    ]);
  });
});

describe('the events of a module', () => {
  const committed = schemasOf([was]);

  test('may get new versions', () => {
    expect(incompatibilitiesBetween(committed, [was, eventOf(z.object({}), 'toys.toy-built.v2')])).toEqual([]);
  });

  test('may not lose a version, because the log keeps its events', () => {
    expect(incompatibilitiesBetween(committed, [])).toEqual([
      expect.stringMatching(/^toys\.toy-built\.v1: the event was removed, .* keep its contract/),
    ]);
  });

  test('are reported with every break, in one sentence each', () => {
    const { note: _, ...rest } = shape;
    expect(incompatibilitiesBetween(committed, [eventOf(z.object({ ...rest, toy: z.boolean() }))])).toEqual([
      'toys.toy-built.v1: toy had type "string" and has type "boolean"',
      'toys.toy-built.v1: note was removed',
    ]);
  });

  test('have schemas with their description and a mark on personal fields', () => {
    expect(committed['toys.toy-built.v1']).toMatchObject({
      description: 'A toy was built.',
      type: 'object',
      properties: { child: { type: 'string', 'x-personal': true } },
    });
  });
});
