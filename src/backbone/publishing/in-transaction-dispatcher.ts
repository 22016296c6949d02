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

interface RegisteredReaction {
  readonly subscriber: string;
  readonly listener: Listener;
}

/** Runs plain reactions on Nest's event emitter, one after the other in a fixed sequence, up to the first error. */
@Injectable()
export class InTransactionDispatcher implements OnModuleInit {
  private readonly logger = new Logger(InTransactionDispatcher.name);
  /** By type of event, in the sequence in which they run. */
  private readonly reactions = new Map<string, RegisteredReaction[]>();

  constructor(
    private readonly emitter: EventEmitter2,
    private readonly subscriptions: Subscriptions,
    private readonly handlers: Handlers,
  ) {}

  onModuleInit(): void {
    for (const subscription of this.subscriptions.all.filter(runsInTransaction)) {
      const { type } = subscription.contract;
      const reaction = { subscriber: subscription.name, listener: this.listenerFor(subscription) };
      this.reactions.set(type, [...(this.reactions.get(type) ?? []), reaction]);
      // oxlint-disable-next-line typescript/no-misused-promises -- `dispatch` awaits the promises of listeners
      this.emitter.on(type, reaction.listener);
    }
  }

  /**
   * Not by `emitAsync`, which would start all listeners at once on one connection, and continue after an error.
   * @throws the error of the first reaction that fails: the publisher's transaction must roll back
   * @throws {Error} when a listener is missing, because no event may skip a reaction that is not registered yet
   */
  async dispatch(event: DomainEvent, emission: Emission): Promise<Reaction[]> {
    const registered = this.reactions.get(event.type) ?? [];
    const count = this.emitter.listeners(event.type).length;
    if (count < registered.length)
      throw new Error(
        `${event.type} has ${count} of ${registered.length} reactions: the program is starting or stopping`,
      );
    if (count > registered.length) this.warnForeign(event.type);
    const reactions: Reaction[] = [];
    let startedAt = performance.now();
    // By index, because an iterator that lives across an await costs a tenth.
    for (let nr = 0; nr < registered.length; nr += 1) {
      const { subscriber, listener } = registered[nr] as RegisteredReaction;
      await listener(event, emission);
      const now = performance.now();
      const reaction = { subscriber, ms: now - startedAt };
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

  /** `@OnEvent` has no transaction and no retry, so it must neither run nor fail the publisher. */
  private warnForeign(type: string): void {
    const message = `A listener of the event emitter on ${type} is ignored: subscribe with @ReactsTo or @SideEffect`;
    logOccasionally(this.logger, 'error', { message });
  }
}
