import 'reflect-metadata';
import { z } from 'zod';
import { MODULES } from '../../dist/app.module.js';
import { definitionOf } from '../../dist/backbone/business-module.js';
import { Subscriptions } from '../../dist/backbone/registry/subscriptions.js';
import { code, table, wordsFor } from './words.mjs';

const modules = MODULES.map(definitionOf);
const subscriptions = new Subscriptions(MODULES, () => true);
const MODES = {
  immediate: "in the publisher's transaction",
  later: 'after commit, in its own transaction',
  'side-effect': 'after commit, without a transaction',
};

/** docs/events.md */
export function eventsPage() {
  const publishers = modules.filter(({ events }) => Object.keys(events).length > 0);
  return `# Events

Modules communicate only through these events. Each event is a fact in the past tense. Its wire name ends in a version and
never changes. A field marked *personal* contains personal data.

${flowchart()}

## When subscribers run

- **In the publisher's transaction**: the reaction and the event commit together or not at all. If the module of the
  subscriber runs in another process, the same reaction runs after commit, in its own transaction.
- **After commit, in its own transaction**: exactly once in effect, retried when it fails.
- **After commit, without a transaction**: at least once, never concurrently, retried when it fails.

A delivery whose last attempt failed is a *dead letter* until an operator replays or skips it. The subscriber declares
whether later deliveries of the same partition wait behind a dead letter or run.

${publishers.map(moduleSection).join('\n')}
<!-- Generated from the contracts and subscriptions in src/ by npm run docs. Change it there. -->
`;
}

/** Which module subscribes to which events of which module. */
function flowchart() {
  const arrows = modules.flatMap(({ name, events }) =>
    modules.flatMap((subscriber) => {
      const subscribed = Object.entries(events).filter(([, { type }]) =>
        subscriptions.to(type).some(({ module }) => module === subscriber.name),
      );
      const names = subscribed.map(([eventName]) => eventName);
      return names.length > 0 ? [`  ${name} -- "${names.join('<br>')}" --> ${subscriber.name}`] : [];
    }),
  );
  return ['```mermaid', 'flowchart LR', ...arrows, '```'].join('\n');
}

function moduleSection({ name, events }) {
  const sections = Object.entries(events).map(([eventName, contract]) => eventSection(eventName, contract));
  return `## Published by ${name}\n\n${sections.join('\n')}`;
}

function eventSection(eventName, contract) {
  const schema = z.toJSONSchema(contract.data, { io: 'output' });
  return `### ${eventName}

${contract.description}

Type ${code(contract.type)}, subject ${code(subjectOf(contract))}

${table(['field', 'type', 'note'], fieldRows(schema))}

${subscribersOf(contract)}
`;
}

/** \`order/<orderId>\`: computes the subject from a record in which the value of each field is its name. */
function subjectOf(contract) {
  return contract.subject(new Proxy({}, { get: (_, field) => `<${String(field)}>` }));
}

/** All fields with their paths: \`lines[].sku\`. */
function fieldsOf(schema, path = '', isPersonal = false) {
  return Object.entries(schema.properties).flatMap(([name, field]) => {
    const here = { name: `${path}${name}`, field, isPersonal: isPersonal || field.personal === true };
    const isOptional = !schema.required?.includes(name);
    if (field.type === 'object') return fieldsOf(field, `${here.name}.`, here.isPersonal);
    if (field.type === 'array' && field.items.type === 'object')
      return fieldsOf(field.items, `${here.name}[].`, here.isPersonal);
    return [{ ...here, isOptional }];
  });
}

function fieldRows(schema) {
  return fieldsOf(schema).map(({ name, field, isPersonal, isOptional }) => {
    const { description } = field.$ref ? schema.$defs[field.$ref.split('/').at(-1)] : field;
    const notes = [isPersonal && '*personal*', isOptional && 'optional', description].filter(Boolean);
    return [code(name), wordsFor(field), notes.join(', ')];
  });
}

function subscribersOf({ type, allowNoSubscribers }) {
  const subscribers = subscriptions.to(type);
  if (subscribers.length === 0)
    return allowNoSubscribers ? 'No subscriber in this program: it is published for other programs.' : '';
  return table(['subscriber', 'runs', 'attempts', 'behind a dead letter'], subscribers.map(subscriberRow));
}

function subscriberRow({ name, mode, attempts, backoff, behindDead }) {
  if (mode === 'immediate') return [code(name), MODES[mode], '', ''];
  const retries = `${attempts}, ${duration(backoff.firstMs)} to ${duration(backoff.maxMs)} apart`;
  return [code(name), MODES[mode], retries, behindDead === 'park' ? 'later deliveries wait' : 'later deliveries run'];
}

function duration(ms) {
  if (ms < 60_000) return `${ms / 1000} s`;
  return ms < 3_600_000 ? `${ms / 60_000} min` : `${ms / 3_600_000} h`;
}
