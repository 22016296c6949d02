import { isDeepStrictEqual } from 'node:util';
import type { EventContract } from '../domain-event.js';
import { type JsonSchema, schemaOf } from './event-schema.js';
import { isRecord, recordIn, shapeOf } from './schema-shape.js';

/** Compared part by part, so that a break is named where it is. */
const PARTS = new Set(['properties', 'required', 'items', 'additionalProperties']);

/**
 * What stands between the builds from before and after a change. Two builds run side by side, and the log keeps events for
 * ever, so under one wire name each must read what the other writes: every field stays as it is, nothing disappears,
 * and what is new is optional.
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
    return is ? incompatibilities(was, is).map((problem) => `${type}: ${problem}`) : [`${type}: ${GONE}`];
  });
}

const GONE =
  'the event is gone, but the log keeps the events that were published: keep its contract, with allowNoSubscribers: true where it has no subscriber';

/** Each with its path, e.g. `lines[].quantity is gone`. */
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
  const others = new Set([...Object.keys(was), ...Object.keys(is)].filter((keyword) => !PARTS.has(keyword)));
  for (const keyword of others) yield* compareValue(keyword, was[keyword], is[keyword], path);
}

function* compareProperties(was: JsonSchema, is: JsonSchema, path: string): Generator<string> {
  const [before, after] = [recordIn(was, 'properties'), recordIn(is, 'properties')];
  const [neededBefore, neededAfter] = [requiredIn(was), requiredIn(is)];
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const here = path ? `${path}.${name}` : name;
    const [old, young] = [before[name], after[name]];
    if (!isRecord(young)) yield `${here} is gone`;
    else if (!isRecord(old)) {
      if (neededAfter.has(name)) yield `${here} is new and required, which older events and older builds do not have`;
      if (was.additionalProperties === false) yield `${here} is new where older builds refuse what they do not know`;
    } else {
      if (neededBefore.has(name) && !neededAfter.has(name)) yield `${here} became optional, and older builds need it`;
      if (!neededBefore.has(name) && neededAfter.has(name))
        yield `${here} became required, and older events may lack it`;
      yield* compare(old, young, here);
    }
  }
}

function* compareValue(keyword: string, was: unknown, is: unknown, path: string): Generator<string> {
  if (!isDeepStrictEqual(was, is))
    yield `${path || 'the event'} had ${said(keyword, was)} and has ${said(keyword, is)}`;
}

function said(keyword: string, value: unknown): string {
  return value === undefined ? `no ${keyword}` : `${keyword} ${JSON.stringify(value)}`;
}

function requiredIn({ required }: JsonSchema): ReadonlySet<unknown> {
  return new Set(Array.isArray(required) ? required : []);
}
