import { z } from 'zod';
import type { EventContract } from '../domain-event.js';
import type { EventContracts } from '../registry/event-contracts.js';
import type { Subscription, Subscriptions } from '../registry/subscriptions.js';
import { type JsonSchema, schemaOf } from './event-schema.js';

/** What an event carries besides its data, named as in CloudEvents 1.0. */
const attributes = z
  .object({
    specversion: z.literal('1.0'),
    id: z.uuid().meta({ description: 'UUIDv7; the idempotency key of whoever handles the event' }),
    source: z.string().meta({ description: 'The module that says it' }),
    type: z.string(),
    subject: z.string().meta({ description: 'The thing that the event is about' }),
    time: z.iso.datetime(),
    datacontenttype: z.literal('application/json'),
    correlationid: z.string().meta({ description: 'One request or job with all that follows from it' }),
    causationid: z.uuid().optional().meta({ description: 'The event that led to this one' }),
  })
  .meta({ description: 'Attributes of CloudEvents 1.0' });

const ATTRIBUTES = 'CloudEventAttributes';

const LANES = {
  immediate: 'In the transaction that says it; after commit where the module runs in another process.',
  later: 'After commit, in a transaction of its own, exactly once in effect.',
  'side-effect': 'After commit, outside of the database, at least once and never concurrently.',
} as const;

/**
 * The AsyncAPI 3.0 document: every event with what it carries, which module says it and which subscribers hear it. A
 * channel is an event's wire name.
 */
export function createAsyncApi({ all: contracts }: EventContracts, subscriptions: Subscriptions): JsonSchema {
  const payloads = contracts.map((contract) => ({ contract, ...payloadOf(contract) }));
  const heard = subscriptions.all.filter(({ retired }) => !retired);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Orderly events',
      version: '1',
      description: 'What the modules of Orderly say to each other.',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(contracts.map(({ type }) => [type, channelOf(type)])),
    operations: Object.fromEntries([...contracts.map(sendingOf), ...heard.map(receivingOf)]),
    components: {
      messages: Object.fromEntries(
        payloads.map(({ contract, payload }) => [contract.type, messageOf(contract, payload)]),
      ),
      schemas: {
        [ATTRIBUTES]: embeddable(z.toJSONSchema(attributes, { io: 'input' })).schema,
        ...Object.assign({}, ...payloads.map(({ parts }) => parts)),
      },
    },
  };
}

function channelOf(type: string) {
  return { address: type, messages: { [type]: { $ref: `#/components/messages/${type}` } } };
}

function sendingOf({ type, module }: EventContract) {
  return [`say.${type}`, { action: 'send', ...over(type), 'x-module': module }];
}

function receivingOf({ name, module, mode: lane, contract }: Subscription) {
  const terms = { 'x-module': module, 'x-subscriber': name, 'x-lane': lane };
  return [name, { action: 'receive', ...over(contract.type), summary: LANES[lane], ...terms }];
}

function over(type: string) {
  const channel = `#/channels/${type}`;
  return { channel: { $ref: channel }, messages: [{ $ref: `${channel}/messages/${type}` }] };
}

function messageOf({ type, description: means }: EventContract, payload: JsonSchema) {
  return { name: type, summary: means, headers: { $ref: `#/components/schemas/${ATTRIBUTES}` }, payload };
}

function payloadOf(contract: EventContract) {
  const { schema, parts } = embeddable(schemaOf(contract));
  return { payload: schema, parts };
}

/** A reference within a document leads through the document, so parts with a name move to its components. */
function embeddable(whole: object): { readonly schema: JsonSchema; readonly parts: JsonSchema } {
  const text = JSON.stringify(whole).replaceAll('"#/$defs/', '"#/components/schemas/');
  const { $schema: _, $defs: parts = {}, ...schema } = JSON.parse(text);
  return { schema, parts };
}
