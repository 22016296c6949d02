import { Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { SideEffectContext } from '../decorators.js';
import type { DomainEvent } from '../domain-event.js';
import type { Transaction } from '../transaction.js';
import type { Subscription } from './subscriptions.js';

type Method = (event: DomainEvent, context: Transaction | SideEffectContext) => Promise<void>;

/** Finds the handler method of a subscription. The decorators' types check its parameters at compile time. */
@Injectable()
export class Handlers {
  constructor(private readonly moduleRef: ModuleRef) {}

  of({ handler, method, name }: Subscription): Method {
    const instance: Record<string, unknown> = this.moduleRef.get(handler, { strict: false });
    const found = instance[method];
    if (typeof found !== 'function') throw new TypeError(`${name}: its handler is not a method of ${handler.name}`);
    return found.bind(instance);
  }
}
