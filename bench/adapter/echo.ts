import 'reflect-metadata';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { RequestValidationPipe } from '../../src/common/http/validation.js';
import { serve } from '../support/serve.js';

const ADAPTERS = { fastify: () => new FastifyAdapter(), express: () => new ExpressAdapter() } as const;

const text = z.string().trim().min(1).max(200);
/** The same rules as for the orders of the program. */
const orderBody = z.strictObject({
  customer: z.strictObject({ name: text, email: z.email() }),
  shippingAddress: z.strictObject({ name: text, street: text, city: text, country: text }),
  lines: z.array(z.strictObject({ sku: text, quantity: z.int().min(1) })).min(1),
});

@Controller('v1/orders')
class EchoController {
  @Post()
  place(@Body({ schema: orderBody }) order: z.infer<typeof orderBody>): object {
    return { id: '01900000-0000-7000-8000-000000000000', status: 'confirmed', ...order };
  }
}

@Module({ controllers: [EchoController] })
class EchoModule {}

export type Echo = {
  /** Starts to listen. Returns the URL. */
  open(adapter: keyof typeof ADAPTERS): Promise<string>;
};

/** Parses, validates and returns an order: the cost of HTTP alone, without business logic or a database. */
serve({
  async open(adapter) {
    const app = await NestFactory.create(EchoModule, ADAPTERS[adapter](), { logger: false, abortOnError: false });
    app.useGlobalPipes(new RequestValidationPipe());
    await app.listen(0, '127.0.0.1');
    return app.getUrl();
  },
} satisfies Echo);
