import { Inject, Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { Transactions } from '../common/events/transactions.js';
import { Checks, type Disagreement } from '../common/reconciliation/checks.js';
import type { HeardEvent } from '../common/reconciliation/heard-events.js';
import { CONFIG, type Config } from '../config.js';
import { StockRanLow } from '../inventory/inventory.events.js';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderDelivered,
  OrderRejected,
  OrderShipped,
} from '../orders/orders.events.js';
import { Message, type MessageState } from './message.entity.js';
import { newestForgotten } from './message-retention.js';

const MS_PER_DAY = 86_400_000;

interface Told {
  readonly states: ReadonlyMap<string, MessageState[]>;
  /** The newest event whose message was deleted. Ids of events are UUIDv7, so those of older ones are less. */
  readonly forgotten: string;
}

/** What must agree with messages. */
@Injectable()
export class NotificationsReconciliation {
  private readonly keptDays: number;

  constructor(
    private readonly transactions: Transactions,
    checks: Checks,
    @Inject(CONFIG) { retention }: Config,
  ) {
    this.keptDays = retention.messageDays;
    checks.addEvents({
      name: 'notifications.outcomes-are-told-once',
      means: 'Every outcome of an order, and stock that runs low, was told by one message',
      remedy: 'A repair sends a message that is missing or was not sent; of two, one was made by hand',
      events: [OrderConfirmed, OrderRejected, OrderCancelled, OrderShipped, OrderDelivered, StockRanLow],
      look: (events) => this.untold(events.filter((event) => this.isKept(event))),
    });
  }

  private async untold(events: readonly HeardEvent[]): Promise<Disagreement[]> {
    const { states, forgotten } = await this.told(events.map(({ id }) => id));
    const remembered = events.filter(({ id }) => id > forgotten);
    return remembered.flatMap(({ id: key, subject, heardBy }) => {
      const found = states.get(key) ?? [];
      if (found.length === 1 && found[0] === 'sent') return [];
      const [subscriber] = heardBy;
      const delivery = found.length < 2 && subscriber ? { eventId: key, subscriber } : undefined;
      return [{ key, subject, expected: 'one message, sent', found: found.join(', ') || 'none', delivery }];
    });
  }

  /** What was forgotten is read last, so that what is deleted in between is not taken for lost. */
  private async told(eventIds: readonly string[]): Promise<Told> {
    const where = { eventId: In([...eventIds]) };
    const [messages, forgotten] = await this.transactions.read(async (manager) => [
      await manager.find(Message, { select: { eventId: true, state: true }, where }),
      await newestForgotten(manager),
    ]);
    const states = new Map<string, MessageState[]>();
    for (const { eventId, state } of messages) states.set(eventId, [...(states.get(eventId) ?? []), state]);
    return { states, forgotten };
  }

  /** What is older may be deleted at any moment, and was before it was remembered how far. */
  private isKept({ occurredAt }: HeardEvent): boolean {
    return this.keptDays === 0 || Date.now() - occurredAt.getTime() < this.keptDays * MS_PER_DAY;
  }
}
