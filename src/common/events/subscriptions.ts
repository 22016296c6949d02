import type { Type } from '@nestjs/common';
import { definitionOf } from '../module-definition.js';
import type { DomainEvent } from './domain-event.js';
import { type Declaration, declarationsOf } from './subscription.js';

/** One subscriber: a handler of a module with its contract. */
export interface Subscription extends Omit<Declaration, 'line'> {
  /** Stable: `<module>.<method>`. */
  readonly name: string;
  readonly module: string;
  /** The provider class whose method handles the event. */
  readonly handler: Type;
  /** Deliveries of one line and one key run one after the other. */
  readonly line: string;
  /** Its module runs in this process. */
  readonly active: boolean;
}

/** Every subscriber of the shop, of the modules in this process and of those elsewhere. */
export class Subscriptions {
  readonly all: readonly Subscription[];
  private readonly byType = new Map<string, Subscription[]>();
  private readonly byName = new Map<string, Subscription>();

  /**
   * @param modules every module of the shop, in the order in which their reactions run
   * @param isActive whether a module runs in this process
   * @throws {Error} when two subscribers share a name
   */
  constructor(modules: readonly Type[], isActive: (module: string) => boolean) {
    this.all = modules.flatMap((module) => subscriptionsOf(module, isActive));
    for (const subscription of this.all) {
      const { name, contract } = subscription;
      if (this.byName.has(name))
        throw new Error(`Two subscribers are called ${name}. A handler hears one event: give each method its own name`);
      this.byName.set(name, subscription);
      this.byType.set(contract.type, [...this.to(contract.type), subscription]);
    }
  }

  to(type: string): readonly Subscription[] {
    return this.byType.get(type) ?? [];
  }

  named(name: string): Subscription | undefined {
    return this.byName.get(name);
  }
}

/** Runs in the publisher's transaction here, rather than as a delivery. */
export function isImmediate(subscription: Subscription): boolean {
  return subscription.lane === 'immediate' && subscription.active;
}

/** Deliveries of one order key run one after the other. */
export function orderKeyOf({ line, orderBy }: Subscription, event: DomainEvent): string {
  return `${line} ${orderBy(event as never)}`;
}

function subscriptionsOf(type: Type, isActive: (module: string) => boolean): Subscription[] {
  const { name: module, providers } = definitionOf(type);
  const classes = providers.filter((provider): provider is Type => typeof provider === 'function');
  return classes.flatMap((handler) =>
    declarationsOf(handler).map((declaration) => {
      const name = `${module}.${declaration.method}`;
      const line = `${module}${lineWithin(declaration)}`;
      return { ...declaration, name, line, module, handler, active: isActive(module) };
    }),
  );
}

function lineWithin({ lane, line, method }: Declaration): string {
  if (line) return `.${line}`;
  return lane === 'side-effect' ? `.${method}` : '';
}
