import 'reflect-metadata';
import { z } from 'zod';
import { MODULES } from '../../dist/app.module.js';
import { definitionOf } from '../../dist/backbone/business-module.js';
import { Subscriptions } from '../../dist/backbone/registry/subscriptions.js';
import { code, table, wordsFor } from './words.mjs';

const modules = MODULES.map(definitionOf);
const subscriptions = new Subscriptions(MODULES, () => true);
const MODES = {
  immediate: 'in the transaction of the publisher',
  later: 'after commit, in a transaction of its own',
  'side-effect': 'after commit, outside of the database',
};

/** docs/events.md */
export function eventsPage() {
  const speakers = modules.filter(({ events }) => Object.keys(events).length > 0);
  return `# Events

What the modules say to each other, and all they know of each other. Each event is a fact in the past tense; its wire
name ends in its version and never changes. A field marked *personal* says something about a person.

${flowchart()}

## How they are heard

- **In the transaction of the publisher**: the reaction commits with the event, or nothing does. Where the reacting module runs
  in another process, the same reaction runs after commit, in a transaction of its own.
- **After commit, in a transaction of its own**: exactly once in effect, tried again when it fails.
- **After commit, outside of the database**: at least once, never twice at a time, tried again when it fails.

A delivery that has failed for good is *dead* until an operator tries it again. Behind it, what happened later to the same
thing waits or passes, as the subscriber wants it.

${speakers.map(moduleSection).join('\n')}
<!-- Written from the contracts and subscriptions in src/ by npm run docs. Change it there. -->
`;
}

/** Who says what to whom. */
function flowchart() {
  const arrows = modules.flatMap(({ name, events }) =>
    modules.flatMap((listener) => {
      const heard = Object.entries(events).filter(([, { type }]) =>
        subscriptions.to(type).some(({ module }) => module === listener.name),
      );
      return heard.length > 0
        ? [`  ${name} -- "${heard.map(([word]) => word).join('<br>')}" --> ${listener.name}`]
        : [];
    }),
  );
  return ['```mermaid', 'flowchart LR', ...arrows, '```'].join('\n');
}

function moduleSection({ name, events }) {
  const sections = Object.entries(events).map(([word, contract]) => eventSection(word, contract));
  return `## What ${name} says\n\n${sections.join('\n')}`;
}

function eventSection(word, contract) {
  const schema = z.toJSONSchema(contract.data, { io: 'output' });
  return `### ${word}

${contract.description}

${code(contract.type)} about ${code(subjectOf(contract))}

${table(['carries', 'as', 'note'], fieldRows(schema))}

${heardBy(contract)}
`;
}

/** \`order/<orderId>\`: the contract names its subject from a record whose every field is its own name. */
function subjectOf(contract) {
  return contract.subject(new Proxy({}, { get: (_, field) => `<${String(field)}>` }));
}

/** Every field with its path: \`lines[].sku\`. */
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

function heardBy({ type, allowNoSubscribers }) {
  const subscribers = subscriptions.to(type);
  if (subscribers.length === 0)
    return allowNoSubscribers ? 'Nobody in this shop reacts: it is announced for others.' : '';
  return table(['heard by', 'when', 'attempts', 'behind a dead one'], subscribers.map(subscriberRow));
}

function subscriberRow({ name, mode, attempts, backoff, behindDead }) {
  if (mode === 'immediate') return [code(name), MODES[mode], '', ''];
  const pauses = `${attempts}, ${seconds(backoff.firstMs)} to ${seconds(backoff.maxMs)} apart`;
  return [code(name), MODES[mode], pauses, behindDead === 'park' ? 'the next ones wait' : 'the next ones pass'];
}

function seconds(ms) {
  if (ms < 60_000) return `${ms / 1000} s`;
  return ms < 3_600_000 ? `${ms / 60_000} min` : `${ms / 3_600_000} h`;
}
