import { applyDecorators, type CanActivate, Injectable, UseGuards } from '@nestjs/common';
import { ApiProblems } from '../http/api-docs.js';
import { BacklogWatch } from './backlog-watch.js';

/** Refuses a request that brings new work while the shop is too far behind with what it has. */
export function UnlessBehind(): MethodDecorator {
  return applyDecorators(UseGuards(BacklogGuard), ApiProblems({ 503: ['backlog-too-large'] }));
}

@Injectable()
class BacklogGuard implements CanActivate {
  constructor(private readonly backlog: BacklogWatch) {}

  canActivate(): boolean {
    this.backlog.assertWithin();
    return true;
  }
}
