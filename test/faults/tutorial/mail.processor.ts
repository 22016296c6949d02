// The habit: a worker loads the order and sends the e-mail; when that throws, BullMQ retries.
import { Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import type { Job } from 'bullmq';
import { createTransport } from 'nodemailer';
import type { Repository } from 'typeorm';
import { ORDERS } from './database.module.js';
import { environment } from './environment.js';
import type { Order } from './order.entity.js';
import type { OrderEvent } from './order.event.js';

/** The default concurrency of Orderly. */
const CONCURRENCY = 20;

@Processor('mail', { concurrency: CONCURRENCY })
export class MailProcessor extends WorkerHost {
  private readonly transport = createTransport(environment.SMTP_URL);

  constructor(@Inject(ORDERS) private readonly orders: Repository<Order>) {
    super();
  }

  override async process({ data: { orderId, status } }: Job<OrderEvent>): Promise<void> {
    const order = await this.orders.findOneByOrFail({ id: orderId });
    const lines = order.lines.map(({ quantity, name }) => `${quantity} × ${name}`).join('\n');
    await this.transport.sendMail({
      from: 'Tutorial <shop@tutorial.example>',
      to: order.customerEmail,
      subject: `Order ${order.id} ${status}`,
      text: `Dear ${order.customerName},\n\nyour order is ${status}:\n\n${lines}\n`,
    });
  }
}
