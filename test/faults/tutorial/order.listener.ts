// The habit: an in-memory listener turns the event into a job with three attempts and exponential backoff.
import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { Queue } from 'bullmq';
import type { OrderEvent } from './order.event.js';

@Injectable()
export class OrderListener {
  constructor(@InjectQueue('mail') private readonly mailQueue: Queue) {}

  @OnEvent('order.confirmed')
  @OnEvent('order.rejected')
  @OnEvent('order.cancelled')
  @OnEvent('order.shipped')
  async queueMail({ orderId, status }: OrderEvent): Promise<void> {
    const options = { attempts: 3, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: true };
    await this.mailQueue.add(`order-${status}`, { orderId, status }, options);
  }
}
