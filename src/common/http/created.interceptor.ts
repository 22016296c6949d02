import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { map, type Observable } from 'rxjs';
import { Created } from './created.js';

/** Sends a `Created` as 201 with its Location, whatever the method's usual status is. */
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
