import { Controller, Module, Param, Post, Put } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthController } from '../monitoring/health.controller.js';
import { HealthChecks } from '../monitoring/health-checks.js';
import { Created } from './created.js';
import { configureHttp, createAdapter } from './http-app.js';

@Controller('pencils')
class PencilsController {
  @Put(':name')
  put(@Param('name') name: string) {
    return name === 'new' ? new Created('/pencils/new', { name }) : { name };
  }

  @Post()
  post() {
    return new Created('/pencils/hb', { name: 'hb' });
  }
}

@Module({ controllers: [PencilsController, HealthController], providers: [HealthChecks] })
class PencilsModule {}

let app: NestFastifyApplication;

beforeAll(async () => {
  app = await NestFactory.create<NestFastifyApplication>(PencilsModule, createAdapter(), { logger: false });
  configureHttp(app);
  await app.listen(0, '127.0.0.1');
});

afterAll(() => app.close());

async function send(method: string, path: string): Promise<[number, string | null, unknown]> {
  const response = await fetch(`${await app.getUrl()}${path}`, { method });
  return [response.status, response.headers.get('location'), await response.json()];
}

test('a Created is answered with 201 and its Location', async () => {
  expect(await send('PUT', '/pencils/new')).toEqual([201, '/pencils/new', { name: 'new' }]);
  expect(await send('POST', '/pencils')).toEqual([201, '/pencils/hb', { name: 'hb' }]);
});

test('any other result is answered with the default status', async () => {
  expect(await send('PUT', '/pencils/old')).toEqual([200, null, { name: 'old' }]);
});

test('a process that stops answers the readiness check with 503', async () => {
  expect(await send('GET', '/health/ready')).toEqual([200, null, { status: 'ok', checks: [] }]);
  app.get(HealthChecks).markStopping();
  expect(await send('GET', '/health/ready')).toEqual([503, null, { status: 'stopping', checks: [] }]);
  expect(await send('GET', '/health/live')).toEqual([200, null, { status: 'ok' }]);
});
