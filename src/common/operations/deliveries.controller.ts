import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DELIVERY_STATES, deliveryId } from '../events/delivery.js';
import { DeliveryReader, type StoredDelivery } from '../events/delivery-reader.js';
import { Subscriptions } from '../events/subscriptions.js';
import { ApiOkPage, ApiProblems } from '../http/api-docs.js';
import { text } from '../http/fields.js';
import { decodeCursor, type Page, pageOf, pageQuery } from '../http/pagination.js';

const deliveryQuery = z.strictObject({
  state: z.enum(DELIVERY_STATES).optional(),
  subscriber: text(100).optional().meta({ description: 'e.g. `notifications.emailConfirmation`' }),
  subject: text(200).optional(),
  ...pageQuery,
});

const deliveryView = z
  .object({
    id: z.string(),
    eventId: z.uuid(),
    subscriber: z.string(),
    type: z.string(),
    subject: z.string(),
    version: z.int(),
    state: z.enum(DELIVERY_STATES),
    attempts: z.int(),
    errors: z
      .array(z.object({ attempt: z.int(), at: z.string(), name: z.string(), message: z.string() }))
      .meta({ description: 'One for every attempt that failed' }),
    occurredAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
    leaseUntil: z.iso.datetime().nullable().meta({ description: 'Being handled until then at the latest' }),
  })
  .meta({ id: 'Delivery' });
type DeliveryView = z.infer<typeof deliveryView>;

const subscriptionView = z
  .object({
    name: z.string(),
    event: z.string(),
    lane: z.enum(['immediate', 'later', 'side-effect']),
    line: z.string().meta({ description: 'Deliveries of one line and one key run one after the other' }),
    attempts: z.int(),
    backoff: z.object({ firstMs: z.int(), maxMs: z.int() }),
    timeoutMs: z.int(),
    behindDead: z.enum(['park', 'pass']),
    formerNames: z.array(z.string()),
    active: z.boolean().meta({ description: 'Its module runs in this process' }),
    pending: z.int(),
    dead: z.int(),
  })
  .meta({ id: 'Subscription' });

const subscriptionList = z.object({ items: z.array(subscriptionView) }).meta({ id: 'Subscriptions' });

const cursorParts = z.tuple([z.uuid(), text(100)]);

@ApiTags('Operations')
@Controller('v1/operations')
export class DeliveriesController {
  constructor(
    private readonly deliveries: DeliveryReader,
    private readonly registry: Subscriptions,
  ) {}

  @Get('deliveries')
  @ApiOperation({ summary: 'See who has heard what, and who has not' })
  @ApiOkPage(deliveryView)
  @ApiProblems({ 400: ['cursor-invalid'] })
  async list(@Query({ schema: deliveryQuery }) query: z.output<typeof deliveryQuery>): Promise<Page<DeliveryView>> {
    const { cursor, limit, ...filter } = query;
    const [eventId, subscriber] = cursor === undefined ? [] : decodeCursor(cursor, cursorParts);
    const before = eventId && subscriber ? { eventId, subscriber } : undefined;
    const rows = await this.deliveries.find({ ...filter, before }, limit + 1);
    const page = pageOf(rows, limit, (last) => [last.eventId, last.subscriber]);
    return { ...page, items: page.items.map(viewOf) };
  }

  @Get('subscriptions')
  @ApiOperation({ summary: 'Read the contracts of all subscribers, and what each has pending and dead' })
  @ApiOkResponse({ description: 'Every subscriber', standardSchema: subscriptionList })
  async subscriptions(): Promise<z.infer<typeof subscriptionList>> {
    const backlog = new Map((await this.deliveries.backlog()).map((each) => [each.subscriber, each]));
    const items = this.registry.all.map((subscription) => {
      const { name, contract, lane, line, attempts, backoff, timeoutMs, behindDead, formerNames, active } =
        subscription;
      const { pending = 0, dead = 0 } = backlog.get(name) ?? {};
      const terms = { lane, line, attempts, backoff, timeoutMs, behindDead, formerNames: [...formerNames] };
      return { name, event: contract.type, ...terms, active, pending, dead };
    });
    return { items };
  }
}

function viewOf(delivery: StoredDelivery): DeliveryView {
  return {
    id: deliveryId(delivery),
    ...delivery,
    errors: [...delivery.errors],
    occurredAt: delivery.occurredAt.toISOString(),
    finishedAt: delivery.finishedAt?.toISOString() ?? null,
    leaseUntil: delivery.leaseUntil?.toISOString() ?? null,
  };
}
