import { isDeepStrictEqual } from 'node:util';
import type { EventContract } from '../domain-event.js';
import { type JsonSchema, schemaOf } from './event-schema.js';
import { isRecord, recordIn, shapeOf } from './schema-shape.js';

/** Keywords whose values are compared member by member, so that a break is reported with its path. */
const STRUCTURAL = new Set(['properties', 'required', 'items', 'additionalProperties']);

/**
 * Compares contracts with their committed schemas. Two builds run side by side, and the log keeps events for ever, so
 * each build must read the events that the other writes under the same wire name: every field stays as it is, none is
 * removed, and new fields are optional.
 *
 * @param committed schemas by wire name, from `<module>.events.schema.json`
 * @returns a sentence for each break, with the event, the path and the rule
 */
export function incompatibilitiesBetween(
  committed: Readonly<Record<string, JsonSchema>>,
  contracts: readonly EventContract[],
): string[] {
  const present = new Map(contracts.map((contract) => [contract.type, schemaOf(contract)]));
  return Object.entries(committed).flatMap(([type, was]) => {
    const is = present.get(type);
    return is ? incompatibilities(was, is).map((problem) => `${type}: ${problem}`) : [`${type}: ${REMOVED}`];
  });
}

const REMOVED =
  'the event was removed, but the log keeps the events that were published: keep its contract, with allowNoSubscribers: true where it has no subscriber';

/** Returns a sentence for each break, with its path, e.g. `lines[].quantity was removed`. */
export function incompatibilities(was: JsonSchema, is: JsonSchema): string[] {
  return [...compare(shapeOf(was), shapeOf(is), '')];
}

function* compare(was: JsonSchema, is: JsonSchema, path: string): Generator<string> {
  yield* compareProperties(was, is, path);
  for (const [keyword, suffix] of [
    ['items', '[]'],
    ['additionalProperties', '.*'],
  ] as const) {
    const [before, after] = [was[keyword], is[keyword]];
    if (isRecord(before) && isRecord(after)) yield* compare(before, after, `${path}${suffix}`);
    else yield* compareValue(keyword, before, after, path);
  }
  const others = new Set([...Object.keys(was), ...Object.keys(is)].filter((keyword) => !STRUCTURAL.has(keyword)));
  for (const keyword of others) yield* compareValue(keyword, was[keyword], is[keyword], path);
}

function* compareProperties(was: JsonSchema, is: JsonSchema, path: string): Generator<string> {
  const [before, after] = [recordIn(was, 'properties'), recordIn(is, 'properties')];
  const [requiredBefore, requiredAfter] = [requiredIn(was), requiredIn(is)];
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const here = path ? `${path}.${name}` : name;
    const [old, current] = [before[name], after[name]];
    if (!isRecord(current)) yield `${here} was removed`;
    else if (!isRecord(old)) {
      if (requiredAfter.has(name)) yield `${here} is new and required, which older events and older builds do not have`;
      if (was.additionalProperties === false) yield `${here} is new, and older builds refuse unknown properties here`;
    } else {
      if (requiredBefore.has(name) && !requiredAfter.has(name))
        yield `${here} became optional, and older builds need it`;
      if (!requiredBefore.has(name) && requiredAfter.has(name))
        yield `${here} became required, and older events may lack it`;
      yield* compare(old, current, here);
    }
  }
}

function* compareValue(keyword: string, was: unknown, is: unknown, path: string): Generator<string> {
  if (!isDeepStrictEqual(was, is))
    yield `${path || 'the event'} had ${describe(keyword, was)} and has ${describe(keyword, is)}`;
}

function describe(keyword: string, value: unknown): string {
  return value === undefined ? `no ${keyword}` : `${keyword} ${JSON.stringify(value)}`;
}

function requiredIn({ required }: JsonSchema): ReadonlySet<unknown> {
  return new Set(Array.isArray(required) ? required : []);
}
