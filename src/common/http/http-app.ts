import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import { JsonAdapter } from './body-parsers.js';
import { CreatedInterceptor } from './created.interceptor.js';
import { ProblemFilter } from './problem.filter.js';
import { runRequestHooks } from './request-hooks.js';
import { RouteTable } from './route-table.js';
import { refuseUnreadable, refuseUnrouted } from './unrouted-errors.js';
import { RequestValidationPipe } from './validation.js';

type Raw<Message> = { readonly raw: Message };

/** Fastify for a program that may be reached directly or through a proxy, and that stops without dropping a request. */
export function createAdapter(): FastifyAdapter {
  const adapter = new JsonAdapter({
    trustProxy: false,
    // Longer than the minute for which load balancers keep a connection, so that it is never us who hang up first.
    keepAliveTimeout: 65_000,
    // For a whole request to arrive, an import of a million lines included; but it must not fall silent meanwhile.
    requestTimeout: 3_600_000,
    connectionTimeout: 60_000,
    routerOptions: { maxParamLength: 100 },
    // While closing: idle connections are closed, whatever has been accepted is answered.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: (error: Error, { raw: request }: Raw<IncomingMessage>, { raw: response }: Raw<ServerResponse>) =>
      runRequestHooks({ request, response, route: undefined }, () => refuseUnrouted(error, response)),
    clientErrorHandler: refuseUnreadable,
  });
  adapter.setOnRequestHook(({ raw: request, routeOptions }, { raw: response }, done) => {
    hangUpWhileClosing(adapter.getHttpServer(), response);
    runRequestHooks({ request, response, route: routeOptions.url }, done);
  });
  return adapter;
}

/** A connection that becomes idle after the server began to close would keep it open until keep-alive ends. */
function hangUpWhileClosing(server: Server, response: ServerResponse): void {
  response.once('finish', () => {
    if (!server.listening) server.closeIdleConnections();
  });
}

/** Validation, 201 and problem documents, for an app on the adapter above. To be called before `app.init()`. */
export function configureHttp(app: NestFastifyApplication): void {
  const { httpAdapter } = app.get(HttpAdapterHost);
  app.useGlobalPipes(new RequestValidationPipe());
  app.useGlobalInterceptors(new CreatedInterceptor(httpAdapter));
  app.useGlobalFilters(new ProblemFilter(httpAdapter, RouteTable.of(app)));
}
