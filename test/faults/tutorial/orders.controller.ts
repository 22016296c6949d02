// The habit: the controller validates and delegates; the header Idempotency-Key is ignored.
import { Body, Controller, Get, HttpCode, Param, ParseUUIDPipe, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { type OrderView, viewOf } from './order.view.js';
import { OrdersService } from './orders.service.js';
import {
  cancellationInput,
  type OrderInput,
  orderInput,
  type PageQuery,
  pageQuery,
  type ShipmentInput,
  shipmentInput,
} from './schemas.js';

@Controller('v1/orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Post()
  async place(@Body({ schema: orderInput }) input: OrderInput): Promise<OrderView> {
    return viewOf(await this.orders.place(input));
  }

  @Get(':id')
  async get(@Param('id', ParseUUIDPipe) id: string): Promise<OrderView> {
    return viewOf(await this.orders.find(id));
  }

  @Get()
  async list(
    @Query({ schema: pageQuery }) query: PageQuery,
  ): Promise<{ items: OrderView[]; nextCursor: string | null }> {
    const orders = await this.orders.list(query);
    const { cursor, limit } = query;
    return { items: orders.map(viewOf), nextCursor: orders.length < limit ? null : String(cursor + limit) };
  }

  @Post(':id/cancellation')
  @HttpCode(200)
  async cancel(
    @Param('id', ParseUUIDPipe) id: string,
    @Body({ schema: cancellationInput }) { reason }: z.output<typeof cancellationInput>,
  ): Promise<OrderView> {
    return viewOf(await this.orders.cancel(id, reason));
  }

  @Post(':id/shipment')
  @HttpCode(200)
  async ship(
    @Param('id', ParseUUIDPipe) id: string,
    @Body({ schema: shipmentInput }) shipment: ShipmentInput,
  ): Promise<OrderView> {
    return viewOf(await this.orders.ship(id, shipment));
  }
}
