import { randomUUID } from 'node:crypto';
import type { ModuleRef } from '@nestjs/core';
import { CrashPoints } from '../crash-points.js';
import type { DeliveryRef } from '../delivery.js';
import { Subscriptions } from '../registry/subscriptions.js';
import { Dispatcher, jobsFor } from './dispatcher.js';

const refsOf = (subscriber: string, count: number): DeliveryRef[] =>
  Array.from({ length: count }, () => ({ eventId: randomUUID(), subscriber, claims: 3 }));
const now = (ref: DeliveryRef) => ({ ref, delay: 0, once: false });

test('deliveries of the same subscriber that are dispatched together share jobs, at most twenty per job', () => {
  const rings = refsOf('toys.ring', 41);
  const wraps = refsOf('toys.wrap', 2);

  const jobs = jobsFor([...rings, ...wraps].map(now));

  expect(jobs.map(({ name, data }) => [name, data])).toEqual([
    ['toys.ring', rings.slice(0, 20)],
    ['toys.ring', rings.slice(20, 40)],
    ['toys.ring', rings.slice(40)],
    ['toys.wrap', wraps],
  ]);
  expect(jobs.some(({ opts }) => opts?.jobId)).toBe(false);
});

test('a delayed delivery gets its own job', () => {
  const [first, second] = refsOf('toys.ring', 2) as [DeliveryRef, DeliveryRef];

  const jobs = jobsFor([first, second].map((ref) => ({ ref, delay: 500, once: false })));

  expect(jobs.map(({ data, opts }) => [data, opts?.delay])).toEqual([
    [[first], 500],
    [[second], 500],
  ]);
});

test('a delivery that is added once gets a job whose id is the id of its claim', () => {
  const [first, second] = refsOf('toys.ring', 2) as [DeliveryRef, DeliveryRef];

  const jobs = jobsFor([now(first), { ref: second, delay: 0, once: true }]);

  expect(jobs.map(({ data, opts }) => [data, opts?.jobId])).toEqual([
    [[first], undefined],
    [[second], `${second.eventId}.toys.ring.3`],
  ]);
});

test('more deliveries than a function call has arguments are dispatched at once', async () => {
  const added: number[] = [];
  const queue = {
    addWithTimeout: async (jobs: readonly { data: readonly DeliveryRef[] }[]) => void added.push(jobs.length),
  };
  const dispatcher = new Dispatcher(
    { get: () => queue } as unknown as ModuleRef,
    new CrashPoints(null),
    new Subscriptions([], () => true),
  );

  dispatcher.dispatch(refsOf('toys.ring', 200_000));
  await dispatcher.idle();

  expect(added).toEqual([10_000]);
});
