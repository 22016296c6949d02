import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import { JsonAdapter } from './body-parsers.js';
import { CreatedInterceptor } from './created.js';
import { ProblemFilter } from './problem.filter.js';
import { runRequestHooks } from './request-hooks.js';
import { RouteTable } from './route-table.js';
import { refuseUnreadable, refuseUnrouted } from './unrouted-errors.js';
import { RequestValidationPipe } from './validation.js';

type Raw<Message> = { readonly raw: Message };

/** Creates Fastify for a program that may be behind a proxy, and that stops without losing a request. */
export function createAdapter(): FastifyAdapter {
  const adapter = new JsonAdapter({
    trustProxy: false,
    // Load balancers keep idle connections for a minute and must be the first to close them.
    keepAliveTimeout: 65_000,
    // An import of a million lines may take this long to arrive.
    requestTimeout: 3_600_000,
    // The longest silence within a request.
    connectionTimeout: 60_000,
    routerOptions: { maxParamLength: 100 },
    // While the server closes, idle connections are closed, and accepted requests are answered.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: (error: Error, { raw: request }: Raw<IncomingMessage>, { raw: response }: Raw<ServerResponse>) =>
      runRequestHooks({ request, response, route: undefined }, () => refuseUnrouted(error, response)),
    clientErrorHandler: refuseUnreadable,
  });
  adapter.setOnRequestHook(({ raw: request, routeOptions }, { raw: response }, done) => {
    closeIdleWhileClosing(adapter.getHttpServer(), response);
    runRequestHooks({ request, response, route: routeOptions.url }, done);
  });
  return adapter;
}

/** A connection that becomes idle after the server began to close would keep the server open until keep-alive ends. */
function closeIdleWhileClosing(server: Server, response: ServerResponse): void {
  response.once('finish', () => {
    if (!server.listening) server.closeIdleConnections();
  });
}

/** Adds validation, `Created` and problem documents to an app on the adapter above. Call it before `app.init()`. */
export function configureHttp(app: NestFastifyApplication): void {
  const { httpAdapter } = app.get(HttpAdapterHost);
  app.useGlobalPipes(new RequestValidationPipe());
  app.useGlobalInterceptors(new CreatedInterceptor(httpAdapter));
  app.useGlobalFilters(new ProblemFilter(httpAdapter, RouteTable.of(app)));
}
