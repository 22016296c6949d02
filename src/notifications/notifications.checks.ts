import { Inject, Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { Transactions } from '../backbone/transaction.js';
import { CONFIG, type Config } from '../config.js';
import { StockRanLow } from '../inventory/inventory.events.js';
import type { EventCheck, Finding, HandledEvent, ModuleChecks } from '../operations/checks.js';
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

interface StoredMessages {
  /** States of the messages, by event. */
  readonly states: ReadonlyMap<string, MessageState[]>;
  /** The newest event whose message was deleted. Event ids are UUIDv7, so ids of older events are smaller. */
  readonly forgotten: string;
}

/** Checks that messages agree with the events that caused them. */
@Injectable()
export class NotificationsChecks implements ModuleChecks {
  readonly eventChecks: readonly EventCheck[] = [
    {
      name: 'notifications.outcomes-are-told-once',
      description: 'One message was sent for every outcome of an order, and for stock that runs low',
      remedy: 'A repair sends a message that is missing or was not sent; of two messages, one was created by hand',
      events: [OrderConfirmed, OrderRejected, OrderCancelled, OrderShipped, OrderDelivered, StockRanLow],
      findMismatches: (events) => this.withoutMessage(events.filter((event) => this.isKept(event))),
    },
  ];
  private readonly keptDays: number;

  constructor(
    private readonly transactions: Transactions,
    @Inject(CONFIG) { messageDays }: Config,
  ) {
    this.keptDays = messageDays;
  }

  private async withoutMessage(events: readonly HandledEvent[]): Promise<Finding[]> {
    const { states, forgotten } = await this.messagesOf(events.map(({ id }) => id));
    const remembered = events.filter(({ id }) => id > forgotten);
    return remembered.flatMap(({ id: key, subject, handledBy }) => {
      const found = states.get(key) ?? [];
      if (found.length === 1 && found[0] === 'sent') return [];
      const [subscriber] = handledBy;
      const delivery = found.length < 2 && subscriber ? { eventId: key, subscriber } : undefined;
      return [{ key, subject, expected: 'one message, sent', found: found.join(', ') || 'none', delivery }];
    });
  }

  /**
   * `newestForgotten` is read last, so that a message that retention deletes between the two reads does not look
   * missing.
   */
  private async messagesOf(eventIds: readonly string[]): Promise<StoredMessages> {
    const where = { eventId: In([...eventIds]) };
    const [messages, forgotten] = await this.transactions.read(async (manager) => [
      await manager.find(Message, { select: { eventId: true, state: true }, where }),
      await newestForgotten(manager),
    ]);
    const states = new Map<string, MessageState[]>();
    for (const { eventId, state } of messages) states.set(eventId, [...(states.get(eventId) ?? []), state]);
    return { states, forgotten };
  }

  /** Messages of older events may be deleted at any moment, and were deleted before `newest_forgotten` existed. */
  private isKept({ occurredAt }: HandledEvent): boolean {
    return this.keptDays === 0 || Date.now() - occurredAt.getTime() < this.keptDays * MS_PER_DAY;
  }
}
