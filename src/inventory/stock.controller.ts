import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Page } from '../common/http/pagination.js';
import { Idempotent } from '../common/idempotency/idempotent.js';
import { ApiExamples, ApiOkPage, ApiProblems } from '../common/open-api/api-docs.js';
import {
  adjustmentBody,
  type MovementQuery,
  movementQuery,
  movementView,
  receiptBody,
  type StockView,
  skuParam,
  stockView,
  stockViewOf,
} from './inventory.dto.js';
import { InventoryQueries } from './inventory.queries.js';
import type { Movement } from './movement.entity.js';
import { StockService } from './stock.service.js';

const movementOf = (movement: Movement): Movement => movement;

@ApiTags('Stock')
@Controller('v1/stock')
export class StockController {
  constructor(
    private readonly stock: StockService,
    private readonly queries: InventoryQueries,
  ) {}

  @Post(':sku/receipts')
  @Idempotent(movementOf)
  @ApiOperation({ summary: 'Book a receipt of goods' })
  @ApiExamples({ 'A delivery': { quantity: 39, reference: 'PO-1' } })
  @ApiCreatedResponse({ description: 'The new entry of the ledger', standardSchema: movementView })
  @ApiProblems({ 404: ['product-not-found'] })
  receive(
    @Param('sku', { schema: skuParam('DEMO-TEA') }) sku: string,
    @Body({ schema: receiptBody }) receipt: z.output<typeof receiptBody>,
  ): Promise<Movement> {
    return this.stock.receive(sku, receipt);
  }

  @Post(':sku/adjustments')
  @Idempotent(movementOf)
  @ApiOperation({ summary: 'Adjust the units on hand' })
  @ApiExamples({ 'Broken in the warehouse': { change: -2, reason: 'damaged' } })
  @ApiCreatedResponse({ description: 'The new entry of the ledger', standardSchema: movementView })
  @ApiProblems({ 404: ['product-not-found'], 409: ['stock-would-be-negative'] })
  adjust(
    @Param('sku', { schema: skuParam('DEMO-TEA') }) sku: string,
    @Body({ schema: adjustmentBody }) adjustment: z.output<typeof adjustmentBody>,
  ): Promise<Movement> {
    return this.stock.adjust(sku, adjustment);
  }

  @Get(':sku')
  @ApiOperation({ summary: 'Get the stock of a product' })
  @ApiOkResponse({ description: 'The stock level', standardSchema: stockView })
  @ApiProblems({ 404: ['product-not-found'] })
  async get(@Param('sku', { schema: skuParam('DEMO-TEA') }) sku: string): Promise<StockView> {
    return stockViewOf(await this.queries.stock(sku));
  }

  @Get(':sku/movements')
  @ApiOperation({ summary: 'List the ledger of a product', description: 'The changes add up to the units on hand.' })
  @ApiOkPage(movementView)
  @ApiProblems({ 400: ['cursor-invalid'], 404: ['product-not-found'] })
  movements(
    @Param('sku', { schema: skuParam('DEMO-TEA') }) sku: string,
    @Query({ schema: movementQuery }) query: MovementQuery,
  ): Promise<Page<Movement>> {
    return this.queries.movements(sku, query);
  }
}
