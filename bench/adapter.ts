import type { Echo } from './adapter/echo.js';
import type { Bench } from './support/benchmark.js';
import { Child } from './support/child.js';
import { latenciesOf, load } from './support/load.js';
import { placing } from './support/placing.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';

const ECHO = 'adapter/echo.js';
/** The program runs on Fastify, which should be at least as fast as Express. */
const TARGET = { atLeast: 1 };
const CLIENTS = 16;
const SECONDS = 1;

/** Requests per second of Nest on Fastify, divided by those of Nest on Express. */
export async function adapter({ testBed, rounds: count }: Bench): Promise<Row[]> {
  const [fastify, express] = [Child.start<Echo>(testBed, ECHO, {}), Child.start<Echo>(testBed, ECHO, {})];
  const measure = (url: string) => () =>
    load({ urls: [url], clients: CLIENTS, seconds: SECONDS, next: placing, expects: 201 });
  const { ours, theirs } = await rounds(count, {
    ours: measure(await fastify.call('open', 'fastify')),
    theirs: measure(await express.call('open', 'express')),
  });
  for (const child of [fastify, express]) await child.stop();
  const row = compare({
    name: `adapter, ${CLIENTS} clients`,
    description: 'POST of an order that is parsed, validated and returned, by Nest on Fastify; on Express',
    unit: 'requests/s',
    ours: ours.map(({ perSecond }) => perSecond),
    theirs: theirs.map(({ perSecond }) => perSecond),
    target: TARGET,
    details: latenciesOf(ours),
  });
  return [row];
}
