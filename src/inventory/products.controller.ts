import type { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Created } from '../common/http/created.js';
import { AcceptsNdjson, NdjsonBody } from '../common/http/ndjson.js';
import type { Page } from '../common/http/pagination.js';
import { ApiExamples, ApiOkPage, ApiProblems } from '../common/open-api/api-docs.js';
import { importReport, type ProductQuery, productBody, productQuery, productView, skuParam } from './inventory.dto.js';
import { InventoryQueries } from './inventory.queries.js';
import { ProductsImport } from './products.import.js';
import { ProductsService, type StockedProduct } from './products.service.js';

const chai = { name: 'Chai', category: 'Beverages', unitPrice: { amount: 1800, currency: 'USD' }, reorderLevel: 10 };

@ApiTags('Products')
@Controller('v1/products')
export class ProductsController {
  constructor(
    private readonly products: ProductsService,
    private readonly queries: InventoryQueries,
    private readonly productsImport: ProductsImport,
  ) {}

  @Put(':sku')
  @ApiOperation({ summary: 'List a product, or change it' })
  @ApiExamples({ 'A product': chai })
  @ApiOkResponse({ description: 'The product was there and says this now', standardSchema: productView })
  @ApiCreatedResponse({ description: 'The product is new', standardSchema: productView })
  async put(
    @Param('sku', { schema: skuParam('NW-01') }) sku: string,
    @Body({ schema: productBody }) draft: z.output<typeof productBody>,
  ): Promise<StockedProduct | Created<StockedProduct>> {
    const { isNew, product } = await this.products.put({ sku, ...draft });
    return isNew ? new Created(`/v1/products/${sku}`, product) : product;
  }

  @Get(':sku')
  @ApiOperation({ summary: 'Look at a product and its stock' })
  @ApiOkResponse({ description: 'The product', standardSchema: productView })
  @ApiProblems({ 404: ['product-not-found'] })
  get(@Param('sku', { schema: skuParam('DEMO-TEA') }) sku: string): Promise<StockedProduct> {
    return this.queries.product(sku);
  }

  @Get()
  @ApiOperation({ summary: 'Browse the catalogue' })
  @ApiOkPage(productView)
  @ApiProblems({ 400: ['cursor-invalid'] })
  list(@Query({ schema: productQuery }) query: ProductQuery): Promise<Page<StockedProduct>> {
    return this.queries.products(query);
  }

  @Post(':sku/discontinuation')
  @HttpCode(200)
  @ApiOperation({ summary: 'Take a product off sale', description: 'Orders that hold it are still fulfilled.' })
  @ApiOkResponse({ description: 'The product can no longer be ordered', standardSchema: productView })
  @ApiProblems({ 404: ['product-not-found'] })
  discontinue(@Param('sku', { schema: skuParam('DEMO-LAST') }) sku: string): Promise<StockedProduct> {
    return this.products.discontinue(sku);
  }

  @Post('import')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Import a catalogue of any length',
    description:
      'One product a line, as in PUT with its `sku` and, for products that are new, an optional `onHand` that books a ' +
      'receipt. A bad line is reported and the rest goes on. Importing again changes nothing.',
  })
  @AcceptsNdjson(JSON.stringify({ sku: 'NW-01', ...chai, onHand: 39 }))
  @ApiOkResponse({ description: 'What became of the lines', standardSchema: importReport })
  import(@Body(NdjsonBody) lines: Readable): Promise<z.infer<typeof importReport>> {
    return this.productsImport.run(lines);
  }
}
