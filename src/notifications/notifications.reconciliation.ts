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

const MS_PER_DAY = 86_400_000;

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
    const states = await this.statesOf(events.map(({ id }) => id));
    return events.flatMap(({ id: key, subject, heardBy }) => {
      const found = states.get(key) ?? [];
      if (found.length === 1 && found[0] === 'sent') return [];
      const [subscriber] = heardBy;
      const delivery = found.length < 2 && subscriber ? { eventId: key, subscriber } : undefined;
      return [{ key, subject, expected: 'one message, sent', found: found.join(', ') || 'none', delivery }];
    });
  }

  private async statesOf(eventIds: readonly string[]): Promise<ReadonlyMap<string, MessageState[]>> {
    const where = { eventId: In([...eventIds]) };
    const messages = await this.transactions.read((manager) =>
      manager.find(Message, { select: { eventId: true, state: true }, where }),
    );
    const states = new Map<string, MessageState[]>();
    for (const { eventId, state } of messages) states.set(eventId, [...(states.get(eventId) ?? []), state]);
    return states;
  }

  /** Messages are deleted some time after their events. */
  private isKept({ occurredAt }: HeardEvent): boolean {
    return this.keptDays === 0 || Date.now() - occurredAt.getTime() < this.keptDays * MS_PER_DAY;
  }
}
