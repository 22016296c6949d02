import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { Transactions } from '../backbone/transaction.js';
import type { TimelineEntry, TimelineSource } from '../operations/timeline.js';
import { Message } from './message.entity.js';

/** Adds messages to timelines, without their recipients, which are personal data. */
@Injectable()
export class MessagesTimeline implements TimelineSource {
  constructor(private readonly transactions: Transactions) {}

  async entriesOf(eventIds: readonly string[]): Promise<TimelineEntry[]> {
    const query = { where: { eventId: In([...eventIds]) }, order: { id: 'ASC' } } as const;
    const messages = await this.transactions.read((manager) => manager.find(Message, query));
    return messages.map(({ eventId, template, channel, state, attempts, createdAt, sentAt }) => {
      const times = { at: createdAt.toISOString(), sentAt: sentAt?.toISOString() ?? null };
      return { kind: 'message', eventId, template, channel, state, attempts, ...times };
    });
  }
}
