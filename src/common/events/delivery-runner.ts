import { Injectable, Logger } from '@nestjs/common';
import { asError } from '../logging/describe-error.js';
import { logSparingly } from '../logging/rate-limit.js';
import { deliveryAttempts } from '../metrics/measures.js';
import type { DeliveryOutcome } from '../metrics/zeros.js';
import { pauseAfter } from './backoff.js';
import type { Claim } from './claims.js';
import { inContext } from './context.js';
import { CrashPoints } from './crash-points.js';
import { Deliveries, type Failure } from './deliveries.js';
import { type DeliveryRef, deliveryId } from './delivery.js';
import { Dispatcher } from './dispatcher.js';
import { fingerprintOf } from './fingerprint.js';
import { Handlers } from './handlers.js';
import { GiveUp, RetryLater } from './outcomes.js';
import { LET_GO_MS, RunningAttempts } from './running-attempts.js';
import { storable } from './storable-text.js';
import { type Subscription, Subscriptions } from './subscriptions.js';
import { UnitOfWork } from './unit-of-work.js';

/** The lease outlasts the timeout, so that an attempt is over before the next one may start. */
const LEASE_MARGIN_MS = LET_GO_MS + 7_000;
/** A mail server that is away would say so for every mail. */
const SAY_EVERY_MS = 30_000;

/** The claim was taken over by someone else: what this attempt did is rolled back, and it has nothing to book. */
class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** Runs one delivery: claim, handle, book the outcome. */
@Injectable()
export class DeliveryRunner {
  private readonly logger = new Logger(DeliveryRunner.name);
  private readonly attempts = new RunningAttempts();
  private isStopping = false;
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly handlers: Handlers,
    private readonly deliveries: Deliveries,
    private readonly unitOfWork: UnitOfWork,
    private readonly dispatcher: Dispatcher,
    private readonly crashPoints: CrashPoints,
  ) {}

  /** Resolves when the outcome is booked, or at once when it is not this delivery's turn. */
  async run(ref: DeliveryRef): Promise<void> {
    const run = this.claimAndAttempt(ref).finally(() => this.running.delete(run));
    this.running.add(run);
    await run;
  }

  /** Resolves when everything that runs now has ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.running);
  }

  /** From here on running handlers are told to stop; what they were doing is tried again by the next process. */
  abort(): void {
    this.isStopping = true;
    this.attempts.abort('The process stops');
  }

  private async claimAndAttempt(ref: DeliveryRef): Promise<void> {
    const subscription = this.subscriptions.named(ref.subscriber);
    if (this.isStopping) return;
    if (!subscription?.active) return this.passOn(ref);
    const claim = await this.deliveries.claim(ref, subscription, subscription.timeoutMs + LEASE_MARGIN_MS);
    if (!claim) return count(ref, 'suppressed');
    this.crashPoints.pass('after-claim');
    const { id, correlationId } = claim.event;
    await inContext({ correlationId, causationId: id, actor: subscription.name }, () =>
      this.attempt(claim, subscription),
    );
  }

  /** While two builds run side by side they share their queues, and one of them may lack a subscriber of the other. */
  private async passOn(ref: DeliveryRef): Promise<void> {
    await this.deliveries.passOn(ref);
    logSparingly(`passed on ${ref.subscriber}`, SAY_EVERY_MS, (suppressed) =>
      this.logger.log(`${ref.subscriber} does not run in this process; its deliveries wait for one where it does`, {
        delivery: deliveryId(ref),
        suppressed,
      }),
    );
  }

  private async attempt(claim: Claim, subscription: Subscription): Promise<void> {
    try {
      if (claim.attempt > subscription.attempts) throw new GiveUp('Every attempt ended without an outcome');
      const next = await this.handle(claim, subscription);
      count(claim, 'done');
      this.crashPoints.pass('after-finish');
      this.dispatcher.dispatch(next);
    } catch (error) {
      if (!(error instanceof LeaseLost)) return this.book(asError(error), claim, subscription);
      count(claim, 'lost');
      this.logger.warn(error.message, { delivery: deliveryId(claim) });
    }
  }

  private async handle(claim: Claim, subscription: Subscription): Promise<readonly DeliveryRef[]> {
    const event = eventFor(claim, subscription);
    const handle = this.handlers.of(subscription);
    if (subscription.lane === 'side-effect') {
      const { attempt } = claim;
      const lastAttempt = attempt >= subscription.attempts;
      await this.attempts.run(subscription, (signal) => handle(event, { signal, attempt, lastAttempt }));
      this.crashPoints.pass('after-handler');
      return ours(await this.deliveries.finish(claim));
    }
    await this.unitOfWork.run(
      subscription.module,
      async (tx) => {
        await this.attempts.run(subscription, () => handle(event, tx));
        this.crashPoints.pass('after-handler');
      },
      async (session) => ours(await this.deliveries.finishIn(session, claim)),
    );
    return [];
  }

  private async book(error: Error, claim: Claim, subscription: Subscription): Promise<void> {
    const failure = this.verdict(error, claim, subscription);
    const next = await this.deliveries.fail(claim, failure, subscription);
    this.say(error, failure, claim);
    count(claim, next ? outcomeOf(failure) : 'lost');
    if (!next) return;
    this.dispatcher.dispatch(next);
    if (!failure.dead) this.dispatcher.dispatch([claim], failure.pauseMs);
  }

  /** Each attempt's error is in its delivery's row, so of those that are tried again the log has one for each cause. */
  private say(error: Error, failure: Failure, claim: Claim): void {
    const { dead, pauseMs } = failure;
    const line = { err: error, delivery: deliveryId(claim), attempt: claim.attempt };
    if (dead) return this.logger.error(`${claim.subscriber} is dead for this event`, line);
    logSparingly(`${claim.subscriber} ${fingerprintOf(failure)}`, SAY_EVERY_MS, (suppressed) =>
      this.logger.warn(`${claim.subscriber} failed and will be tried again`, { ...line, pauseMs, suppressed }),
    );
  }

  private verdict(error: Error, { attempt }: Claim, { attempts, backoff }: Subscription): Failure {
    const text = { name: storable(error.name), message: storable(error.message) };
    if (this.isStopping) return { ...text, dead: false, counted: false, pauseMs: 0 };
    if (error instanceof RetryLater) return { ...text, dead: false, counted: false, pauseMs: error.delayMs };
    const dead = error instanceof GiveUp || attempt >= attempts;
    return { ...text, dead, counted: true, pauseMs: dead ? 0 : pauseAfter(attempt, backoff) };
  }
}

/** What a reader knows of the event: fields that its contract does not have are dropped. */
function eventFor({ event }: Claim, { contract }: Subscription) {
  return { ...event, data: contract.data.parse(event.data) };
}

function ours(next: readonly DeliveryRef[] | undefined): readonly DeliveryRef[] {
  if (!next) throw new LeaseLost('The lease ran out during this attempt and someone else took over');
  return next;
}

function count({ subscriber }: DeliveryRef, outcome: DeliveryOutcome): void {
  deliveryAttempts.inc({ subscriber, outcome });
}

function outcomeOf({ dead, counted }: Failure): DeliveryOutcome {
  if (dead) return 'dead';
  return counted ? 'retried' : 'postponed';
}
