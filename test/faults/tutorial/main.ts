// The habit: one bootstrap that sets up a global validation pipe and shutdown hooks, and listens.
import 'reflect-metadata';
import { StandardSchemaValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { environment } from './environment.js';

const IMPORT_BYTES_MAX = 64 * 1024 * 1024;

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), {
  logger: ['error', 'warn'],
});
app.useGlobalPipes(new StandardSchemaValidationPipe());
app.useBodyParser('application/x-ndjson', { bodyLimit: IMPORT_BYTES_MAX }, (_request, body, done) =>
  done(null, body.toString()),
);
// A successful stop after SIGTERM exits with 0, like Orderly.
app.enableShutdownHooks(['SIGINT', 'SIGTERM'], { useProcessExit: true });
await app.listen(environment.PORT, '127.0.0.1');
process.stdout.write(`${JSON.stringify({ level: 'info', msg: 'Orderly is open', url: await app.getUrl() })}\n`);
