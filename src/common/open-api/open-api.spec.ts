import { Body, Controller, Get, HttpCode, Module, Param, Post, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiCreatedResponse, ApiTags, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { quantity, sku, text } from '../http/fields.js';
import { configureHttp, createAdapter } from '../http/http-app.js';
import { pageQuery } from '../http/pagination.js';
import { HealthController } from '../monitoring/health.controller.js';
import { HealthChecks } from '../monitoring/health-checks.js';
import { money } from '../values/money.js';
import { ApiExamples, ApiOkPage, ApiProblems } from './api-docs.js';
import { serveOpenApi } from './open-api.js';

const anOrder = { name: 'Maria', lines: [{ sku: 'NW-11', quantity: 12 }] };
const draft = z
  .strictObject({ name: text(200), lines: z.array(z.strictObject({ sku, quantity })).min(1).max(200) })
  .meta({ id: 'OrderDraft', example: anOrder });
const view = z.object({ id: z.uuid(), total: money, note: z.string().nullable() }).meta({ id: 'SampleOrder' });

@ApiTags('Orders')
@Controller('v1/orders')
class OrdersController {
  /** Places an order. */
  @Post()
  @ApiCreatedResponse({ description: 'The placed order', standardSchema: view })
  @ApiProblems({ 400: ['key-malformed'], 422: ['product-unknown', 'product-discontinued'] })
  @ApiExamples({ 'One line': anOrder })
  place(@Body({ schema: draft }) body: z.infer<typeof draft>) {
    return body;
  }

  @Get()
  @ApiOkPage(view)
  list(@Query({ schema: z.strictObject({ status: z.enum(['placed']).optional(), ...pageQuery }) }) query: object) {
    return query;
  }

  @Post(':id/delivery')
  @HttpCode(200)
  @ApiProblems({ 404: ['order-not-found'] })
  deliver(@Param('id', { schema: z.uuid() }) id: string) {
    return { id };
  }
}

@Module({ controllers: [OrdersController, HealthController], providers: [HealthChecks] })
class SampleModule {}

let app: NestFastifyApplication;
let url: string;
let document: OpenAPIObject;

beforeAll(async () => {
  app = await NestFactory.create<NestFastifyApplication>(SampleModule, createAdapter(), { logger: false });
  configureHttp(app);
  serveOpenApi(app, { title: 'Test', description: 'A program.' });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
  document = (await (await fetch(`${url}/docs/openapi.json`)).json()) as OpenAPIObject;
});

afterAll(() => app.close());

test('the document takes requests and responses from the schemas, with their examples', () => {
  const place = document.paths['/v1/orders']?.post;
  expect(document.openapi).toBe('3.0.0');
  expect(place?.requestBody).toMatchObject({
    required: true,
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/OrderDraft' },
        examples: { 'One line': { summary: 'One line', value: anOrder } },
      },
    },
  });
  expect(place?.responses['201']).toMatchObject({
    content: { 'application/json': { schema: { $ref: '#/components/schemas/SampleOrder' } } },
  });
  expect(document.components?.schemas?.OrderDraft).toMatchObject({ example: anOrder, additionalProperties: false });
  expect(document.components?.schemas?.Money).toMatchObject({ type: 'object' });
});

test('the example of a body is a valid request', async () => {
  const described = document.components?.schemas?.OrderDraft;
  const body = JSON.stringify(described && 'example' in described ? described.example : undefined);
  const response = await fetch(`${url}/v1/orders`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
  expect(response.status).toBe(201);
});

test('the document has the schemas of a page and its query', () => {
  const list = document.paths['/v1/orders']?.get;
  expect(list?.parameters).toMatchObject([
    { name: 'status', in: 'query', required: false, schema: { enum: ['placed'] } },
    { name: 'cursor', in: 'query', required: false },
    { name: 'limit', in: 'query', required: false, schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
  ]);
  expect(list?.responses['200']).toMatchObject({
    content: { 'application/json': { schema: { $ref: '#/components/schemas/SampleOrderPage' } } },
  });
});

test('error responses are problem documents with an example for each code, the common ones included', () => {
  const place = document.paths['/v1/orders']?.post;
  const codesOf = (status: string) => {
    const { content } = (place?.responses[status] ?? {}) as { content?: Record<string, { examples: object }> };
    return Object.keys(content?.['application/problem+json']?.examples ?? {});
  };
  expect(codesOf('422')).toEqual(['product-unknown', 'product-discontinued']);
  expect(codesOf('400')).toEqual([
    'key-malformed',
    'request-invalid',
    'json-malformed',
    'body-missing',
    'request-malformed',
  ]);
  expect(['413', '415', '500', '503'].flatMap(codesOf)).toEqual([
    'body-too-large',
    'media-type-unsupported',
    'internal-error',
    'database-unavailable',
    'storage-full',
    'overloaded',
  ]);
  expect(document.components?.schemas?.Problem).toMatchObject({
    type: 'object',
    properties: { code: { type: 'string' } },
  });
  expect(document.paths['/v1/orders']?.get?.responses).not.toHaveProperty('415');
});

test('the 503 response of the readiness check keeps its own schema', () => {
  expect(document.paths['/health/ready']?.get?.responses['503']).toMatchObject({
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Readiness' } } },
  });
});

test('Swagger UI is served by this process only', async () => {
  const page = await (await fetch(`${url}/docs`)).text();
  expect(page).toContain('<title>Test API</title>');
  expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  for (const file of [
    'swagger-ui.css',
    'swagger-ui-bundle.js',
    'swagger-ui-standalone-preset.js',
    'swagger-ui-init.js',
  ])
    expect((await fetch(`${url}/docs/${file}`)).status).toBe(200);
  const settings = await (await fetch(`${url}/docs/swagger-ui-init.js`)).text();
  expect(settings).toContain('"tryItOutEnabled": true');
  expect(settings).toContain('"displayRequestDuration": true');
  expect(settings).toContain('"validatorUrl": null');
});
