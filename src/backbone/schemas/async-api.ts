import { z } from 'zod';
import type { EventContract } from '../domain-event.js';
import type { EventContracts } from '../registry/event-contracts.js';
import type { Subscription, Subscriptions } from '../registry/subscriptions.js';
import { type JsonSchema, schemaOf } from './event-schema.js';

/** The attributes of an event besides its data, named as in CloudEvents 1.0. */
const attributes = z
  .object({
    specversion: z.literal('1.0'),
    id: z.uuid().meta({ description: 'UUIDv7; the idempotency key of the handlers of the event' }),
    source: z.string().meta({ description: 'The module that publishes the event' }),
    type: z.string(),
    subject: z.string().meta({ description: 'The thing that the event is about' }),
    time: z.iso.datetime(),
    datacontenttype: z.literal('application/json'),
    correlationid: z.string().meta({ description: 'Shared by all events that one request or job led to' }),
    causationid: z.uuid().optional().meta({ description: 'The event that led to this one' }),
  })
  .meta({ description: 'Attributes of CloudEvents 1.0' });

const ATTRIBUTES = 'CloudEventAttributes';

const MODES = {
  immediate: 'In the transaction of the publisher; after commit where the module runs in another process.',
  later: 'After commit, in its own transaction, exactly once in effect.',
  'side-effect': 'After commit, without a transaction, at least once and never concurrently.',
} as const;

/**
 * Creates the AsyncAPI 3.0 document: every event with its payload, the module that publishes it and its subscribers.
 * The name of a channel is the wire name of an event.
 */
export function createAsyncApi({ all: contracts }: EventContracts, subscriptions: Subscriptions): JsonSchema {
  const payloads = contracts.map((contract) => ({ contract, ...payloadOf(contract) }));
  const receiving = subscriptions.all.filter(({ retired }) => !retired);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Domain events',
      version: '1',
      description: 'The events that the modules of this program publish and handle.',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(contracts.map(({ type }) => [type, channelOf(type)])),
    operations: Object.fromEntries([...contracts.map(sendOperationOf), ...receiving.map(receiveOperationOf)]),
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

function sendOperationOf({ type, module }: EventContract) {
  return [`say.${type}`, { action: 'send', ...over(type), 'x-module': module }];
}

function receiveOperationOf({ name, module, mode, contract }: Subscription) {
  const terms = { 'x-module': module, 'x-subscriber': name, 'x-lane': mode };
  return [name, { action: 'receive', ...over(contract.type), summary: MODES[mode], ...terms }];
}

function over(type: string) {
  const channel = `#/channels/${type}`;
  return { channel: { $ref: channel }, messages: [{ $ref: `${channel}/messages/${type}` }] };
}

function messageOf({ type, description }: EventContract, payload: JsonSchema) {
  return { name: type, summary: description, headers: { $ref: `#/components/schemas/${ATTRIBUTES}` }, payload };
}

function payloadOf(contract: EventContract) {
  const { schema, parts } = embeddable(schemaOf(contract));
  return { payload: schema, parts };
}

/** References resolve from the root of a document, so named parts move to the components of the AsyncAPI document. */
function embeddable(whole: object): { readonly schema: JsonSchema; readonly parts: JsonSchema } {
  const text = JSON.stringify(whole).replaceAll('"#/$defs/', '"#/components/schemas/');
  const { $schema: _, $defs: parts = {}, ...schema } = JSON.parse(text);
  return { schema, parts };
}
