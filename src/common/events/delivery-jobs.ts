import type { Job, Queue } from 'bullmq';
import { claimId, type DeliveryRef } from './delivery.js';

/** A hint that these deliveries of one subscriber may be run. */
export type DeliveryJob = Job<readonly DeliveryRef[]>;
type NewJob = Parameters<Queue['addBulk']>[0][number];

/** A delivery to hand over. */
export interface Dispatch {
  readonly ref: DeliveryRef;
  /** Milliseconds until its turn. */
  readonly delay: number;
  /** While it waits under this number of claims, it is not added again. */
  readonly once: boolean;
}

/** What comes at once shares a job, and with it what it costs to add one, to take it and to end it. */
const DELIVERIES_MAX = 20;

/** A job for up to twenty deliveries of a subscriber; one for each that has to wait, or is not to be added again. */
export function jobsOf(dispatches: readonly Dispatch[]): NewJob[] {
  const jobs: NewJob[] = [];
  const shared = new Map<string, DeliveryRef[]>();
  for (const { ref, delay, once } of dispatches) {
    const isAlone = delay > 0 || once;
    const part = isAlone ? undefined : shared.get(ref.subscriber);
    if (part && part.length < DELIVERIES_MAX) {
      part.push(ref);
      continue;
    }
    const data = [ref];
    if (!isAlone) shared.set(ref.subscriber, data);
    const opts = once ? { delay, jobId: claimId(ref) } : { delay };
    jobs.push({ name: ref.subscriber, data, opts });
  }
  return jobs;
}
