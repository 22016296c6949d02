import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { configureHttp, createAdapter } from './http-app.js';

test('closing the server ends idle connections at once and answers the running request', async () => {
  let entered: () => void = () => undefined;
  let release: () => void = () => undefined;
  const isRunning = new Promise<void>((resolve) => (entered = resolve));
  const isReleased = new Promise<void>((resolve) => (release = resolve));

  @Controller()
  class SlowController {
    @Get('fast')
    fast() {
      return {};
    }

    @Get('slow')
    async slow() {
      entered();
      await isReleased;
      return { answered: true };
    }
  }

  @Module({ controllers: [SlowController] })
  class SlowModule {}

  const app = await NestFactory.create<NestFastifyApplication>(SlowModule, createAdapter(), { logger: false });
  configureHttp(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  const get = async (path: string) => {
    const [response] = await once(httpRequest({ port, host: '127.0.0.1', path, agent }).end(), 'response');
    return Buffer.concat(await response.toArray()).toString();
  };

  const slow = get('/slow');
  await isRunning;
  await get('/fast');
  const [idle] = Object.values(agent.freeSockets).flat();
  const closed = app.close();
  if (idle) await once(idle, 'close');
  release();

  expect(idle).toBeDefined();
  expect(JSON.parse(await slow)).toEqual({ answered: true });
  await closed;
  agent.destroy();
});
