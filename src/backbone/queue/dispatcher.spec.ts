import { randomUUID } from 'node:crypto';
import type { DeliveryRef } from '../delivery.js';
import { jobsFor } from './dispatcher.js';

const refsOf = (subscriber: string, count: number): DeliveryRef[] =>
  Array.from({ length: count }, () => ({ eventId: randomUUID(), subscriber, claims: 3 }));
const now = (ref: DeliveryRef) => ({ ref, delay: 0, once: false });

test('what comes at once shares jobs, of twenty at most, with what is for the same subscriber', () => {
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

test('what has to wait waits by itself', () => {
  const [first, second] = refsOf('toys.ring', 2) as [DeliveryRef, DeliveryRef];

  const jobs = jobsFor([first, second].map((ref) => ({ ref, delay: 500, once: false })));

  expect(jobs.map(({ data, opts }) => [data, opts?.delay])).toEqual([
    [[first], 500],
    [[second], 500],
  ]);
});

test('what must not be added again has a job whose id tells which attempt it is for', () => {
  const [first, second] = refsOf('toys.ring', 2) as [DeliveryRef, DeliveryRef];

  const jobs = jobsFor([now(first), { ref: second, delay: 0, once: true }]);

  expect(jobs.map(({ data, opts }) => [data, opts?.jobId])).toEqual([
    [[first], undefined],
    [[second], `${second.eventId}.toys.ring.3`],
  ]);
});
