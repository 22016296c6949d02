import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import type { Session } from '../../common/database/session.js';
import { logOccasionally } from '../../common/logging/log-occasionally.js';
import type { DomainEvent } from '../domain-event.js';
import type { Reaction } from '../log/event-log.js';
import { Handlers } from '../registry/handlers.js';
import { runsInTransaction, type Subscription, Subscriptions } from '../registry/subscriptions.js';
import type { Transaction } from '../transaction.js';

/** Slower plain reactions are logged, because the publisher's locks are held while they run. */
const SLOW_REACTION_MS = 100;

interface Emission {
  readonly tx: Transaction;
  readonly session: Session;
}

type Listener = (event: DomainEvent, emission: Emission) => Promise<void>;

/** Runs plain reactions on Nest's event emitter, one after the other in a fixed sequence, up to the first error. */
@Injectable()
export class InTransactionDispatcher implements OnModuleInit {
  private readonly logger = new Logger(InTransactionDispatcher.name);
  /** Names of subscribers by type of event, in the sequence of the listeners. */
  private readonly subscribers = new Map<string, string[]>();

  constructor(
    private readonly emitter: EventEmitter2,
    private readonly subscriptions: Subscriptions,
    private readonly handlers: Handlers,
  ) {}

  onModuleInit(): void {
    for (const subscription of this.subscriptions.all.filter(runsInTransaction)) {
      const { type } = subscription.contract;
      this.subscribers.set(type, [...(this.subscribers.get(type) ?? []), subscription.name]);
      // oxlint-disable-next-line typescript/no-misused-promises -- `dispatch` awaits the promises of listeners
      this.emitter.on(type, this.listenerFor(subscription));
    }
  }

  /**
   * Not by `emitAsync`, which would start all listeners at once on one connection, and continue after an error.
   * @throws the error of the first reaction that fails: the publisher's transaction must roll back
   * @throws {Error} when a listener is missing, because no event may skip a reaction that is not registered yet
   */
  async dispatch(event: DomainEvent, emission: Emission): Promise<Reaction[]> {
    const listeners = this.emitter.listeners(event.type) as Listener[];
    const subscribers = this.subscribers.get(event.type) ?? [];
    if (listeners.length !== subscribers.length)
      throw new Error(
        `${event.type} has ${listeners.length} of ${subscribers.length} reactions: the program is starting or stopping`,
      );
    const reactions: Reaction[] = [];
    let startedAt = performance.now();
    for (let nr = 0; nr < listeners.length; nr += 1) {
      await listeners[nr]?.(event, emission);
      const now = performance.now();
      const reaction = { subscriber: subscribers[nr] ?? '', ms: now - startedAt };
      startedAt = now;
      reactions.push(reaction);
      if (reaction.ms > SLOW_REACTION_MS) this.warnSlow(reaction, event);
    }
    return reactions;
  }

  private listenerFor(subscription: Subscription): Listener {
    const handle = this.handlers.of(subscription);
    const { module } = subscription;
    return (event, { tx, session }) => {
      session.actAs(module);
      return handle(event, tx);
    };
  }

  private warnSlow({ subscriber, ms }: Reaction, { id }: DomainEvent): void {
    const message = `${subscriber} took ${Math.round(ms)} ms inside the transaction of its event ${id}`;
    logOccasionally(this.logger, 'warn', { message, key: `slow ${subscriber}` });
  }
}
