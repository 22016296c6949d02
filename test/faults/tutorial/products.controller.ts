// The habit: a receipt is a POST that adds to a number; a repeated request adds again.
import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import type { Product } from './product.entity.js';
import { ProductsService } from './products.service.js';
import { receiptInput } from './schemas.js';

@Controller('v1')
export class ProductsController {
  constructor(private readonly products: ProductsService) {}

  @Post('products/import')
  @HttpCode(200)
  import(@Body() lines: string) {
    return this.products.import(lines);
  }

  @Get('stock/:sku')
  async stock(@Param('sku') sku: string) {
    return stockOf(await this.products.find(sku));
  }

  @Post('stock/:sku/receipts')
  async receive(
    @Param('sku') sku: string,
    @Body({ schema: receiptInput }) { quantity }: z.output<typeof receiptInput>,
  ) {
    return stockOf(await this.products.receive(sku, quantity));
  }
}

/** Sold units are subtracted at once, so nothing is ever reserved. */
function stockOf({ sku, stock, reorderLevel }: Product) {
  return { sku, onHand: stock, reserved: 0, available: stock, reorderLevel };
}
