import type { DeliveryOutcome } from '../metrics/zeros.js';
import { pauseAfter } from './backoff.js';
import { GiveUp, RetryLater } from './outcomes.js';
import { storable } from './storable-text.js';
import type { Subscription } from './subscriptions.js';

/** How a failed attempt is booked. */
export interface Failure {
  readonly dead: boolean;
  /** False: the attempt does not count and leaves no error (RetryLater, or a process that stops). */
  readonly counted: boolean;
  /** Milliseconds until the next attempt. */
  readonly pauseMs: number;
  readonly name: string;
  readonly message: string;
}

/** What an error means for the attempt of this number, from 1. */
export function failureOf(error: Error, attempt: number, { attempts, backoff }: Subscription): Failure {
  const text = textOf(error);
  if (error instanceof RetryLater) return { ...text, dead: false, counted: false, pauseMs: error.delayMs };
  const dead = error instanceof GiveUp || attempt >= attempts;
  return { ...text, dead, counted: true, pauseMs: dead ? 0 : pauseAfter(attempt, backoff) };
}

/** An attempt that was cut off because its process stops: the next process tries at once. */
export function cutOff(error: Error): Failure {
  return { ...textOf(error), dead: false, counted: false, pauseMs: 0 };
}

/** How the metrics count it. */
export function outcomeOf({ dead, counted }: Failure): DeliveryOutcome {
  if (dead) return 'dead';
  return counted ? 'retried' : 'postponed';
}

function textOf({ name, message }: Error): Pick<Failure, 'name' | 'message'> {
  return { name: storable(name), message: storable(message) };
}
