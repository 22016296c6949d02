import { z } from 'zod';
import { defineEvent } from '../../backbone/domain-event.js';
import { EventContracts } from '../../backbone/registry/event-contracts.js';
import { Subscriptions } from '../../backbone/registry/subscriptions.js';
import { createAsyncApi } from '../../backbone/schemas/async-api.js';
import { ToyForgotten, ToyMade, ToyPainted, ToySold, ToysModule } from '../../backbone/testing/toy-module.js';
import { money } from '../../common/values/money.js';
import { ModuleStage } from '../testing/module-stage.js';

let document: any;
let status: number;

beforeAll(async () => {
  const stage = await ModuleStage.of(ToysModule);
  ({ status, body: document } = await stage.get('/asyncapi.json'));
  await stage.close();
});

/** All references in the document with their targets; a target is undefined when it is missing. */
function referencesIn(whole: object): [string, unknown][] {
  const found = [...JSON.stringify(whole).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
  const follow = (path: string) =>
    path.split('/').reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], whole);
  return found.map((path) => [path, follow(path)]);
}

test('the AsyncAPI document has a channel and a message for every event, and names the module that publishes it', () => {
  const types = [ToyMade, ToyPainted, ToySold, ToyForgotten].map(({ type }) => type);

  expect(status).toBe(200);
  expect(document).toMatchObject({ asyncapi: '3.0.0', info: { title: 'Domain events' } });
  expect(Object.keys(document.channels)).toEqual(types);
  for (const type of types) {
    expect(document.channels[type].address).toBe(type);
    expect(document.operations[`say.${type}`]).toMatchObject({ action: 'send', 'x-module': 'toys' });
  }
  expect(document.components.messages[ToySold.type]).toMatchObject({
    name: ToySold.type,
    summary: 'A toy found a child.',
    headers: { $ref: '#/components/schemas/CloudEventAttributes' },
    payload: {
      type: 'object',
      properties: { toy: { type: 'string' }, child: { type: 'string', 'x-personal': true } },
      required: ['toy'],
    },
  });
  expect(document.components.schemas.CloudEventAttributes.required).toEqual(
    expect.arrayContaining(['id', 'source', 'specversion', 'type', 'subject', 'time']),
  );
});

test('it names the subscribers of each event and their modes', () => {
  const receiving = Object.values<any>(document.operations).filter(({ action }) => action === 'receive');

  expect(receiving.map((each) => [each['x-subscriber'], each['x-lane'], each.channel.$ref])).toEqual([
    ['toys.paint', 'immediate', `#/channels/${ToyMade.type}`],
    ['toys.sell', 'immediate', `#/channels/${ToyPainted.type}`],
    ['toys.count', 'later', `#/channels/${ToySold.type}`],
    ['toys.ring', 'side-effect', `#/channels/${ToySold.type}`],
    ['toys.wrap', 'side-effect', `#/channels/${ToySold.type}`],
  ]);
});

test('all its references resolve, including schemas that several events share', () => {
  const data = z.object({ toy: z.string(), price: money });
  const priced = defineEvent({ type: 'toys.toy-priced.v1', description: 'It costs.', subject: () => 'toy/1', data });
  const repriced = defineEvent({ ...priced, type: 'toys.toy-repriced.v1' });
  const shared = createAsyncApi(new EventContracts([priced, repriced]), new Subscriptions([ToysModule], () => true));

  const references = referencesIn({ ...shared, operations: {} });
  expect(references.map(([path]) => path)).toContain('components/schemas/Money');
  expect([...references, ...referencesIn(document)].filter(([, target]) => target === undefined)).toEqual([]);
});
