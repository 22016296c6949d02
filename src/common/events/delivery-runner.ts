import { format } from 'node:util';
import { Injectable, Logger } from '@nestjs/common';
import { isError } from '../logging/describe-error.js';
import { logSparingly } from '../logging/rate-limit.js';
import { deliveryAttempts } from '../metrics/measures.js';
import type { DeliveryOutcome } from '../metrics/zeros.js';
import type { Claim } from './claims.js';
import { inContext } from './context.js';
import { CrashPoints } from './crash-points.js';
import { Deliveries } from './deliveries.js';
import { type DeliveryRef, deliveryId } from './delivery.js';
import { Dispatcher } from './dispatcher.js';
import { cutOff, type Failure, failureOf, outcomeOf } from './failure.js';
import { fingerprintOf } from './fingerprint.js';
import { Handlers } from './handlers.js';
import { LeaseLost, ours } from './lease-lost.js';
import { GiveUp } from './outcomes.js';
import { LET_GO_MS, RunningAttempts } from './running-attempts.js';
import { type Subscription, Subscriptions } from './subscriptions.js';
import { UnitOfWork } from './unit-of-work.js';

/** The lease outlasts the timeout, so that an attempt is over before the next one may start. */
const LEASE_MARGIN_MS = LET_GO_MS + 7_000;
/** A mail server that is away would say so for every mail. */
const SAY_EVERY_MS = 30_000;

/** Lets work begin when there is room for it; undefined where it had better not begin at all. */
export type Turn = <Result>(work: () => Promise<Result>) => Promise<Result | undefined>;

/** Marks a delivery done behind its handler, and gives what is next in its line. @throws what its handler threw */
type End = () => Promise<readonly DeliveryRef[]>;

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

  /**
   * Resolves when the outcome is booked, or at once when it is not this delivery's turn.
   * @param inTurn keeps handlers from becoming too many; to write down what came of one needs no turn
   */
  async run(ref: DeliveryRef, inTurn: Turn = (work) => work()): Promise<void> {
    const run = this.claimAndAttempt(ref, inTurn).finally(() => this.running.delete(run));
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

  private async claimAndAttempt(ref: DeliveryRef, inTurn: Turn): Promise<void> {
    const conclude = await inTurn(() => this.begin(ref));
    await conclude?.();
  }

  /** Resolves when the handler has ended, with what is left to do about it. */
  private async begin(ref: DeliveryRef): Promise<(() => Promise<void>) | undefined> {
    const subscription = this.subscriptions.named(ref.subscriber);
    if (this.isStopping) return undefined;
    if (!subscription?.active) return this.passOn(ref);
    const claim = await this.deliveries.claim(ref, subscription, subscription.timeoutMs + LEASE_MARGIN_MS);
    if (!claim) return count(ref, 'suppressed');
    this.crashPoints.pass('after-claim');
    const { id, correlationId } = claim.event;
    const context = { correlationId, causationId: id, actor: subscription.name };
    const end = await inContext(context, () => this.attempt(claim, subscription));
    return () => inContext(context, () => this.conclude(end, claim, subscription));
  }

  /** While two builds run side by side they share their queues, and one of them may lack a subscriber of the other. */
  private async passOn(ref: DeliveryRef): Promise<undefined> {
    await this.deliveries.passOn(ref);
    logSparingly(`passed on ${ref.subscriber}`, SAY_EVERY_MS, (suppressed) =>
      this.logger.log(`${ref.subscriber} does not run in this process; its deliveries wait for one where it does`, {
        delivery: deliveryId(ref),
        suppressed,
      }),
    );
  }

  private async attempt(claim: Claim, subscription: Subscription): Promise<End> {
    try {
      if (claim.attempt > subscription.attempts) throw new GiveUp('Every attempt ended without an outcome');
      return await this.handle(claim, subscription);
    } catch (error) {
      return () => Promise.reject(error);
    }
  }

  private async handle(claim: Claim, subscription: Subscription): Promise<End> {
    const event = eventFor(claim, subscription);
    const handle = this.handlers.of(subscription);
    if (subscription.lane === 'side-effect') {
      const { attempt } = claim;
      const lastAttempt = attempt >= subscription.attempts;
      await this.attempts.run(subscription, (signal) => handle(event, { signal, attempt, lastAttempt }));
      this.crashPoints.pass('after-handler');
      return async () => ours(await this.deliveries.finish(claim));
    }
    await this.unitOfWork.run(
      subscription.module,
      async (tx) => {
        await this.attempts.run(subscription, () => handle(event, tx));
        this.crashPoints.pass('after-handler');
      },
      async (session) => ours(await this.deliveries.finishIn(session, claim)),
    );
    return async () => [];
  }

  private async conclude(end: End, claim: Claim, subscription: Subscription): Promise<void> {
    try {
      const next = await end();
      count(claim, 'done');
      this.crashPoints.pass('after-finish');
      this.dispatcher.dispatch(next);
    } catch (error) {
      if (!(error instanceof LeaseLost))
        return this.book(isError(error) ? error : new Error(format(error)), claim, subscription);
      count(claim, 'lost');
      this.logger.warn(error.message, { delivery: deliveryId(claim) });
    }
  }

  private async book(error: Error, claim: Claim, subscription: Subscription): Promise<void> {
    const failure = this.isStopping ? cutOff(error) : failureOf(error, claim.attempt, subscription);
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
}

/** What a reader knows of the event: fields that its contract does not have are dropped. */
function eventFor({ event }: Claim, { contract }: Subscription) {
  return { ...event, data: contract.data.parse(event.data) };
}

function count({ subscriber }: DeliveryRef, outcome: DeliveryOutcome): undefined {
  deliveryAttempts.inc({ subscriber, outcome });
}
