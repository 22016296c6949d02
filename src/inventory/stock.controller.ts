import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Page } from '../common/http/pagination.js';
import { Idempotent } from '../common/idempotency/idempotent.js';
import { ApiExamples, ApiOkPage, ApiProblems } from '../common/open-api/api-docs.js';
import { adjustmentBody, movementQuery, movementView, receiptBody, skuParam, stockView } from './inventory.dto.js';
import { InventoryQueries } from './inventory.queries.js';
import type { Movement } from './movement.entity.js';
import { StockService } from './stock.service.js';

const booked = (movement: Movement): Movement => movement;

@ApiTags('Stock')
@Controller('v1/stock')
export class StockController {
  constructor(
    private readonly stock: StockService,
    private readonly queries: InventoryQueries,
  ) {}

  @Post(':sku/receipts')
  @Idempotent(booked)
  @ApiOperation({ summary: 'Book goods that came in' })
  @ApiExamples({ 'A delivery': { quantity: 39, reference: 'PO-1' } })
  @ApiCreatedResponse({ description: 'The new line of the ledger', standardSchema: movementView })
  @ApiProblems({ 404: ['product-not-found'] })
  receive(
    @Param('sku', { schema: skuParam('DEMO-TEA') }) sku: string,
    @Body({ schema: receiptBody }) receipt: z.output<typeof receiptBody>,
  ): Promise<Movement> {
    return this.stock.receive(sku, receipt);
  }

  @Post(':sku/adjustments')
  @Idempotent(booked)
  @ApiOperation({ summary: 'Correct what is on hand' })
  @ApiExamples({ 'Broken in the warehouse': { change: -2, reason: 'damaged' } })
  @ApiCreatedResponse({ description: 'The new line of the ledger', standardSchema: movementView })
  @ApiProblems({ 404: ['product-not-found'], 409: ['stock-would-be-negative'] })
  adjust(
    @Param('sku', { schema: skuParam('DEMO-TEA') }) sku: string,
    @Body({ schema: adjustmentBody }) adjustment: z.output<typeof adjustmentBody>,
  ): Promise<Movement> {
    return this.stock.adjust(sku, adjustment);
  }

  @Get(':sku')
  @ApiOperation({ summary: 'Look at the stock of a product' })
  @ApiOkResponse({ description: 'The level', standardSchema: stockView })
  @ApiProblems({ 404: ['product-not-found'] })
  async get(@Param('sku', { schema: skuParam('DEMO-TEA') }) sku: string): Promise<z.infer<typeof stockView>> {
    const { onHand, reserved, available, reorderLevel } = await this.queries.stock(sku);
    return { sku, onHand, reserved, available, reorderLevel };
  }

  @Get(':sku/movements')
  @ApiOperation({ summary: 'Read the ledger of a product', description: 'Its changes sum to what is on hand.' })
  @ApiOkPage(movementView)
  @ApiProblems({ 400: ['cursor-invalid'], 404: ['product-not-found'] })
  movements(
    @Param('sku', { schema: skuParam('DEMO-TEA') }) sku: string,
    @Query({ schema: movementQuery }) { limit, cursor }: z.output<typeof movementQuery>,
  ): Promise<Page<Movement>> {
    return this.queries.movements(sku, limit, cursor);
  }
}
