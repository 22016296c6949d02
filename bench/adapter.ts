import type { Echo } from './adapter/echo.js';
import type { Bench } from './support/benchmark.js';
import { Child } from './support/child.js';
import { latenciesOf, load } from './support/load.js';
import { placing } from './support/placing.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';

const ECHO = 'adapter/echo.js';
/** The program's own is the faster one. */
const REACH = { atLeast: 1 };
const CLIENTS = 16;
const SECONDS = 1;

/** Requests a second that Nest answers on Fastify, by those that it answers on Express. */
export async function adapter({ ground, rounds: count }: Bench): Promise<Row[]> {
  const [fastify, express] = [Child.start<Echo>(ground, ECHO, {}), Child.start<Echo>(ground, ECHO, {})];
  const answered = (url: string) => () =>
    load({ urls: [url], clients: CLIENTS, seconds: SECONDS, next: placing, expects: 201 });
  const { ours, theirs } = await rounds(count, {
    ours: answered(await fastify.ask('open', 'fastify')),
    theirs: answered(await express.ask('open', 'express')),
  });
  for (const child of [fastify, express]) await child.stop();
  const row = compare({
    name: `adapter, ${CLIENTS} clients`,
    what: 'a POST of an order that is read, checked and sent back, by Nest on Fastify; on Express',
    unit: 'requests/s',
    ours: ours.map(({ perSecond }) => perSecond),
    theirs: theirs.map(({ perSecond }) => perSecond),
    reach: REACH,
    details: latenciesOf(ours),
  });
  return [row];
}
