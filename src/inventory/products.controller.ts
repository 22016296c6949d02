import type { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Created } from '../common/http/created.js';
import { AcceptsNdjson, NdjsonBody } from '../common/http/ndjson.js';
import type { Page } from '../common/http/pagination.js';
import { ApiExamples, ApiOkPage, ApiProblems } from '../common/open-api/api-docs.js';
import {
  type ImportReport,
  importReport,
  type ProductQuery,
  productBody,
  productQuery,
  productView,
  skuParam,
} from './inventory.dto.js';
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
  @ApiOperation({ summary: 'Add a product, or change it' })
  @ApiExamples({ 'A product': chai })
  @ApiOkResponse({ description: 'The product, which existed before', standardSchema: productView })
  @ApiCreatedResponse({ description: 'The new product', standardSchema: productView })
  async put(
    @Param('sku', { schema: skuParam('NW-01') }) sku: string,
    @Body({ schema: productBody }) draft: z.output<typeof productBody>,
  ): Promise<StockedProduct | Created<StockedProduct>> {
    const { isNew, product } = await this.products.put({ sku, ...draft });
    return isNew ? new Created(`/v1/products/${sku}`, product) : product;
  }

  @Get(':sku')
  @ApiOperation({ summary: 'Get a product with its stock' })
  @ApiOkResponse({ description: 'The product', standardSchema: productView })
  @ApiProblems({ 404: ['product-not-found'] })
  get(@Param('sku', { schema: skuParam('DEMO-TEA') }) sku: string): Promise<StockedProduct> {
    return this.queries.product(sku);
  }

  @Get()
  @ApiOperation({ summary: 'List the products' })
  @ApiOkPage(productView)
  @ApiProblems({ 400: ['cursor-invalid'] })
  list(@Query({ schema: productQuery }) query: ProductQuery): Promise<Page<StockedProduct>> {
    return this.queries.products(query);
  }

  @Post(':sku/discontinuation')
  @HttpCode(200)
  @ApiOperation({ summary: 'Discontinue a product', description: 'Existing orders of it are still fulfilled.' })
  @ApiOkResponse({ description: 'The discontinued product', standardSchema: productView })
  @ApiProblems({ 404: ['product-not-found'] })
  discontinue(@Param('sku', { schema: skuParam('DEMO-LAST') }) sku: string): Promise<StockedProduct> {
    return this.products.discontinue(sku);
  }

  @Post('import')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Import products',
    description:
      'Any number of lines, each a product as in PUT with its `sku` and, for a new product, an optional `onHand`, which ' +
      'books a receipt. An invalid line is reported, and the others are imported. A second import changes nothing.',
  })
  @AcceptsNdjson(JSON.stringify({ sku: 'NW-01', ...chai, onHand: 39 }))
  @ApiOkResponse({
    description: 'The number of products that were added or changed, and the rejected lines',
    standardSchema: importReport,
  })
  import(@Body(NdjsonBody) lines: Readable): Promise<ImportReport> {
    return this.productsImport.run(lines);
  }
}
