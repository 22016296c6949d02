import { Injectable, Logger } from '@nestjs/common';
import { runInContext } from '../../common/context/context.js';
import { errorFingerprint, retryPauseMs, storableText } from '../../common/errors/failure.js';
import { asError } from '../../common/logging/describe-error.js';
import { logOccasionally } from '../../common/logging/log-occasionally.js';
import { CrashPoints } from '../crash-points.js';
import { type DeliveryRef, deliveryId } from '../delivery.js';
import { GiveUp, RetryLater } from '../outcomes.js';
import { UnitOfWork } from '../publishing/unit-of-work.js';
import { Dispatcher } from '../queue/dispatcher.js';
import { JobHandler } from '../queue/module-worker.js';
import { Handlers } from '../registry/handlers.js';
import { type Subscription, Subscriptions } from '../registry/subscriptions.js';
import type { Claim } from './claims.js';
import { Deliveries, type Failure } from './deliveries.js';
import { countAttempt, type DeliveryOutcome } from './delivery-metrics.js';
import { ABORT_GRACE_MS, RunningAttempts } from './running-attempts.js';

/** The lease outlasts the time-out, so that an attempt has ended before the next one may start. */
const LEASE_MARGIN_MS = ABORT_GRACE_MS + 7_000;

/** Another process took over the claim: the work of this attempt rolls back, and there is no outcome to store. */
class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** Runs one delivery: claims it, calls its handler, stores the outcome. */
@Injectable()
export class DeliveryRunner extends JobHandler {
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
  ) {
    super();
  }

  override async run(ref: DeliveryRef): Promise<void> {
    const run = this.claimAndAttempt(ref).finally(() => this.running.delete(run));
    this.running.add(run);
    await run;
  }

  /** Resolves when all running deliveries have ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.running);
  }

  /** Aborts running handlers; the next process runs their deliveries again. No further delivery starts. */
  abort(): void {
    this.isStopping = true;
    this.attempts.abort('The process stops');
  }

  private async claimAndAttempt(ref: DeliveryRef): Promise<void> {
    const subscription = this.subscriptions.named(ref.subscriber);
    if (this.isStopping) return;
    if (!subscription?.active) return this.leaveToOthers(ref);
    const claim = await this.deliveries.claim(ref, subscription, subscription.timeoutMs + LEASE_MARGIN_MS);
    if (!claim) return countAttempt(ref.subscriber, 'suppressed');
    this.crashPoints.pass('after-claim');
    const { id, correlationId } = claim.event;
    await runInContext({ correlationId, causationId: id, actor: subscription.name }, () =>
      this.attempt(claim, subscription),
    );
  }

  /** Two builds that run side by side share their queues, and one may lack a subscriber of the other. */
  private async leaveToOthers(ref: DeliveryRef): Promise<void> {
    await this.deliveries.makeDue(ref);
    const message = `${ref.subscriber} does not run in this process; its deliveries wait for a process in which it does`;
    logOccasionally(this.logger, 'log', { message, delivery: deliveryId(ref) });
  }

  private async attempt(claim: Claim, subscription: Subscription): Promise<void> {
    try {
      if (claim.attempt > subscription.attempts) throw new GiveUp('Every attempt ended without an outcome');
      const next = await this.handle(claim, subscription);
      countAttempt(claim.subscriber, 'done');
      this.crashPoints.pass('after-finish');
      this.dispatcher.dispatch(next);
    } catch (error) {
      if (!(error instanceof LeaseLost)) return this.recordFailure(asError(error), claim, subscription);
      countAttempt(claim.subscriber, 'lost');
      this.logger.warn(error.message, { delivery: deliveryId(claim) });
    }
  }

  private async handle(claim: Claim, subscription: Subscription): Promise<readonly DeliveryRef[]> {
    const event = eventFor(claim, subscription);
    const handle = this.handlers.of(subscription);
    if (subscription.mode === 'side-effect') {
      const { attempt } = claim;
      const lastAttempt = attempt >= subscription.attempts;
      await this.attempts.run(subscription, (signal) => handle(event, { signal, attempt, lastAttempt }));
      this.crashPoints.pass('after-handler');
      return assertOurs(await this.deliveries.finish(claim));
    }
    await this.unitOfWork.run(
      subscription.module,
      async (tx) => {
        await this.attempts.run(subscription, () => handle(event, tx));
        this.crashPoints.pass('after-handler');
      },
      async (session) => assertOurs(await this.deliveries.finishIn(session, claim)),
    );
    return [];
  }

  private async recordFailure(error: Error, claim: Claim, subscription: Subscription): Promise<void> {
    const failure = this.failureOf(error, claim, subscription);
    const next = await this.deliveries.fail(claim, failure, subscription);
    this.logFailure(error, failure, claim);
    countAttempt(claim.subscriber, next ? outcomeOf(failure) : 'lost');
    if (!next) return;
    this.dispatcher.dispatch(next);
    if (!failure.dead) this.dispatcher.dispatch([claim], failure.pauseMs);
  }

  /** The row of a delivery has the error of each attempt, so the log gets retried errors once per cause only. */
  private logFailure(error: Error, failure: Failure, claim: Claim): void {
    const { dead, pauseMs } = failure;
    const fields = { err: error, delivery: deliveryId(claim), attempt: claim.attempt };
    if (dead) return this.logger.error(`${claim.subscriber} is dead for this event`, fields);
    const message = `${claim.subscriber} failed and will be tried again`;
    const key = `${message} ${errorFingerprint(failure)}`;
    logOccasionally(this.logger, 'warn', { message, key, ...fields, pauseMs });
  }

  private failureOf(error: Error, { attempt }: Claim, { attempts, backoff }: Subscription): Failure {
    const text = { name: storableText(error.name), message: storableText(error.message) };
    if (this.isStopping) return { ...text, dead: false, counted: false, pauseMs: 0 };
    if (error instanceof RetryLater) return { ...text, dead: false, counted: false, pauseMs: error.delayMs };
    const dead = error instanceof GiveUp || attempt >= attempts;
    return { ...text, dead, counted: true, pauseMs: dead ? 0 : retryPauseMs(attempt, backoff) };
  }
}

/** The event as this build's contract reads it: fields that the contract does not have are dropped. */
function eventFor({ event }: Claim, { contract }: Subscription) {
  return { ...event, data: contract.data.parse(event.data) };
}

function assertOurs(next: readonly DeliveryRef[] | undefined): readonly DeliveryRef[] {
  if (!next) throw new LeaseLost('The lease expired during this attempt and another process took over');
  return next;
}

function outcomeOf({ dead, counted }: Failure): DeliveryOutcome {
  if (dead) return 'dead';
  return counted ? 'retried' : 'postponed';
}
