import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { map, type Observable } from 'rxjs';

/** The answer of an operation that created something: status 201, Location and body. */
export class Created<Body> {
  constructor(
    readonly location: string | null,
    readonly body: Body,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {}
}

/** Sends a `Created` with status 201 and its Location, whatever the default status of the route is. */
export class CreatedInterceptor implements NestInterceptor {
  constructor(private readonly adapter: AbstractHttpAdapter) {}

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    return next.handle().pipe(
      map((answer) => {
        if (!(answer instanceof Created)) return answer;
        const response = context.switchToHttp().getResponse();
        this.adapter.status(response, 201);
        if (answer.location !== null) this.adapter.setHeader(response, 'location', answer.location);
        for (const [name, value] of Object.entries(answer.headers)) this.adapter.setHeader(response, name, value);
        return answer.body;
      }),
    );
  }
}
