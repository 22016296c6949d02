import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import type { Session } from '../database/session.js';
import { logSparingly } from '../logging/rate-limit.js';
import { handlerSeconds } from '../metrics/measures.js';
import type { DomainEvent } from './domain-event.js';
import { Handlers } from './handlers.js';
import { isImmediate, type Subscription, Subscriptions } from './subscriptions.js';
import type { Transaction } from './transaction.js';

/** A plain reaction holds locks of the publisher while it runs. */
const SLOW_REACTION_MS = 100;
/** Under load all of them are slow. */
const SAY_EVERY_MS = 30_000;

/** A reaction that ran in the publisher's transaction. */
export interface Reaction {
  readonly subscriber: string;
  readonly ms: number;
}

interface Emission {
  readonly tx: Transaction;
  readonly session: Session;
}

type Listener = (event: DomainEvent, emission: Emission) => Promise<Reaction>;

/** Plain reactions on Nest's event emitter: one after the other in a fixed order, and the first error stops all. */
@Injectable()
export class ImmediateLane implements OnModuleInit {
  private readonly logger = new Logger(ImmediateLane.name);

  constructor(
    private readonly emitter: EventEmitter2,
    private readonly subscriptions: Subscriptions,
    private readonly handlers: Handlers,
  ) {}

  onModuleInit(): void {
    for (const subscription of this.subscriptions.all.filter(isImmediate)) {
      const { type } = subscription.contract;
      // oxlint-disable-next-line typescript/no-misused-promises -- whoever emits below awaits what they return
      this.emitter.on(type, this.listenerFor(subscription));
    }
  }

  /**
   * `emitAsync` would start all listeners at once, on one connection, and let the others run on when one has failed.
   * @throws whatever the first failing reaction throws: the publisher's transaction must roll back
   * @throws {Error} when a listener is missing: an event must not pass by a reaction that is only not there yet
   */
  async emit(event: DomainEvent, emission: Emission): Promise<Reaction[]> {
    const listeners = this.emitter.listeners(event.type) as Listener[];
    const expected = this.subscriptions.to(event.type).filter(isImmediate).length;
    if (listeners.length !== expected)
      throw new Error(
        `${event.type} has ${listeners.length} of ${expected} reactions: is the shop starting or stopping?`,
      );
    const reactions: Reaction[] = [];
    for (const listener of listeners) reactions.push(await listener(event, emission));
    return reactions;
  }

  private listenerFor(subscription: Subscription): Listener {
    const handle = this.handlers.of(subscription);
    const { name, module } = subscription;
    return async (event, { tx, session }) => {
      const start = performance.now();
      session.become(module);
      await handle(event, tx);
      const ms = Math.round((performance.now() - start) * 10) / 10;
      handlerSeconds.observe({ subscriber: name }, ms / 1_000);
      if (ms > SLOW_REACTION_MS)
        logSparingly(`slow ${name}`, SAY_EVERY_MS, (suppressed) =>
          this.logger.warn(`${name} took ${ms} ms inside the transaction of its event ${event.id}`, { suppressed }),
        );
      return { subscriber: name, ms };
    };
  }
}
