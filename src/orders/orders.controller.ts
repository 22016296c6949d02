import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Created } from '../common/http/created.js';
import type { Page } from '../common/http/pagination.js';
import { preferenceApplied, waitSecondsOf } from '../common/http/prefer-header.js';
import { Idempotent } from '../common/idempotency/idempotent.js';
import { ApiExamples, ApiOkPage, ApiProblems } from '../common/open-api/api-docs.js';
import { Timeline, type TimelineView, timelineView } from '../operations/timeline.js';
import type { Order } from './order.entity.js';
import {
  cancellationBody,
  deliveryBody,
  type OrderQuery,
  type OrderView,
  orderBody,
  orderId,
  orderQuery,
  orderView,
  orderViewOf,
  shipmentBody,
} from './orders.dto.js';
import { OrdersQueries } from './orders.queries.js';
import { OrdersService } from './orders.service.js';

const anOrder = {
  customer: { name: 'Paul Henriot', email: 'paul@example.com' },
  shippingAddress: {
    name: 'Vins et alcools Chevalier',
    street: "59 rue de l'Abbaye",
    city: 'Reims',
    country: 'France',
  },
  lines: [{ sku: 'DEMO-TEA', quantity: 2 }],
  reference: '10248',
};

function created(order: Order, headers = {}): Created<OrderView> {
  return new Created(`/v1/orders/${order.id}`, orderViewOf(order), headers);
}

@ApiTags('Orders')
@Controller('v1/orders')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly queries: OrdersQueries,
    private readonly timeline: Timeline,
  ) {}

  @Post()
  @Idempotent((order: Order) => created(order))
  @ApiHeader({
    name: 'Prefer',
    required: false,
    description:
      'wait=5: wait up to 5 seconds until the order is confirmed or rejected, where inventory runs in another process',
    schema: { type: 'string' },
  })
  @ApiOperation({
    summary: 'Place an order',
    description:
      'Returns the order as `confirmed`, or as `rejected` when stock is short, which is no error. It is still `placed` where inventory runs in another process.',
  })
  @ApiExamples({
    'An order': anOrder,
    'More than is in stock': { ...anOrder, lines: [{ sku: 'DEMO-TEA', quantity: 100_000 }] },
  })
  @ApiCreatedResponse({ description: 'The placed order', standardSchema: orderView })
  @ApiProblems({ 422: ['products-not-for-sale', 'mixed-currencies', 'total-too-large'], 503: ['backlog-too-large'] })
  async place(
    @Body({ schema: orderBody }) request: z.output<typeof orderBody>,
    @Headers('prefer') prefer?: string,
  ): Promise<Created<OrderView>> {
    const waitSeconds = waitSecondsOf(prefer);
    const order = await this.orders.place(request);
    return created(await this.queries.awaitDecision(order, waitSeconds), preferenceApplied(waitSeconds));
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get an order' })
  @ApiOkResponse({ description: 'The order', standardSchema: orderView })
  @ApiProblems({ 404: ['order-not-found'] })
  async get(@Param('id', { schema: orderId }) id: string): Promise<OrderView> {
    return orderViewOf(await this.queries.order(id));
  }

  @Get()
  @ApiOperation({ summary: 'List the orders' })
  @ApiOkPage(orderView)
  @ApiProblems({ 400: ['cursor-invalid'] })
  async list(@Query({ schema: orderQuery }) query: OrderQuery): Promise<Page<OrderView>> {
    const page = await this.queries.orders(query);
    return { ...page, items: page.items.map(orderViewOf) };
  }

  @Post(':id/cancellation')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Cancel an order',
    description: 'Possible until it is shipped. Releases the reserved stock.',
  })
  @ApiExamples({ 'Changed plans': { reason: 'ordered twice by mistake' } })
  @ApiOkResponse({ description: 'The cancelled order', standardSchema: orderView })
  @ApiProblems({ 404: ['order-not-found'], 409: ['wrong-transition'] })
  async cancel(
    @Param('id', { schema: orderId }) id: string,
    @Body({ schema: cancellationBody }) { reason }: z.output<typeof cancellationBody>,
  ): Promise<OrderView> {
    return orderViewOf(await this.orders.cancel(id, reason));
  }

  @Post(':id/shipment')
  @HttpCode(200)
  @ApiOperation({ summary: 'Ship a confirmed order' })
  @ApiExamples({ 'A parcel': { carrier: 'Speedy Express', trackingNumber: 'SE-2048-16' } })
  @ApiOkResponse({ description: 'The shipped order', standardSchema: orderView })
  @ApiProblems({ 404: ['order-not-found'], 409: ['wrong-transition'] })
  async ship(
    @Param('id', { schema: orderId }) id: string,
    @Body({ schema: shipmentBody }) shipment: z.output<typeof shipmentBody>,
  ): Promise<OrderView> {
    return orderViewOf(await this.orders.ship(id, shipment));
  }

  @Post(':id/delivery')
  @HttpCode(200)
  @ApiOperation({ summary: 'Mark a shipped order as delivered' })
  @ApiExamples({ 'An empty body': {} })
  @ApiOkResponse({ description: 'The delivered order', standardSchema: orderView })
  @ApiProblems({ 404: ['order-not-found'], 409: ['wrong-transition'] })
  async deliver(
    @Param('id', { schema: orderId }) id: string,
    @Body({ schema: deliveryBody }) _: z.output<typeof deliveryBody>,
  ): Promise<OrderView> {
    return orderViewOf(await this.orders.deliver(id));
  }

  @Get(':id/timeline')
  @ApiOperation({
    summary: 'Get the timeline of an order',
    description: 'Its events, deliveries and messages, oldest first.',
  })
  @ApiOkResponse({ description: 'The timeline', standardSchema: timelineView })
  @ApiProblems({ 404: ['order-not-found'] })
  async getTimeline(@Param('id', { schema: orderId }) id: string): Promise<TimelineView> {
    await this.queries.order(id);
    return { orderId: id, entries: await this.timeline.of(`order/${id}`) };
  }
}
