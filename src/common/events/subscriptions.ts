import type { Type } from '@nestjs/common';
import { definitionOf } from '../module-definition.js';
import type { DomainEvent } from './domain-event.js';
import { type Declaration, declarationsOf } from './subscription.js';

/** Nothing waits for a handler for longer than a day; Node would take a time beyond 24 days for none at all. */
const TIMEOUT_MAX_MS = 24 * 3_600_000;

/** One subscriber: a handler of a module with its contract. */
export interface Subscription extends Omit<Declaration, 'line' | 'formerNames'> {
  /**
   * `<module>.<method>` of the time when it was new. It is what deliveries, jobs, lines and pauses are stored under, so it
   * outlives the method's name: builds from before and after a renaming work side by side and do not notice.
   */
  readonly name: string;
  /** That one, and all that its method has been called since. Deliveries under any of them are its own. */
  readonly names: readonly string[];
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
   * @throws {Error} when two subscribers share a name, a former name is none, or one could never run
   */
  constructor(modules: readonly Type[], isActive: (module: string) => boolean) {
    this.all = modules.flatMap((module) => subscriptionsOf(module, isActive));
    for (const subscription of this.all) {
      assertRunnable(subscription);
      for (const name of subscription.names) this.call(subscription, name);
      const { type } = subscription.contract;
      if (!subscription.retired) this.byType.set(type, [...this.to(type), subscription]);
    }
  }

  /** Those that hear such an event when it is said. */
  to(type: string): readonly Subscription[] {
    return this.byType.get(type) ?? [];
  }

  /** By its name, or by one that its method had later. */
  named(name: string): Subscription | undefined {
    return this.byName.get(name);
  }

  private call(subscription: Subscription, name: string): void {
    const { module, method } = subscription;
    if (!isNameIn(module, name))
      throw new Error(`${module}.${method} has the former name ${name}: write ${module}.<method>, as it was`);
    if (this.byName.has(name))
      throw new Error(
        `Two subscribers are called ${name}. A handler hears one event: give each method a name that none had before`,
      );
    this.byName.set(name, subscription);
  }
}

/** Without an attempt, or with no time for it, a delivery would be dead before its handler has run. */
function assertRunnable({ name, attempts, timeoutMs }: Subscription): void {
  if (!Number.isInteger(attempts) || attempts < 1)
    throw new Error(`${name} has ${attempts} attempts: give it one or more`);
  if (!(timeoutMs > 0 && timeoutMs <= TIMEOUT_MAX_MS))
    throw new Error(`${name} has a timeout of ${timeoutMs} ms: give it more than 0 and at most ${TIMEOUT_MAX_MS}`);
}

/** Deliveries go to the queue of the module that their name begins with, so nobody takes a name to another module. */
function isNameIn(module: string, name: string): boolean {
  return name.startsWith(`${module}.`) && /^\w+$/.test(name.slice(module.length + 1));
}

/** Runs in the publisher's transaction here, rather than as a delivery. */
export function isImmediate(subscription: Subscription): boolean {
  return subscription.lane === 'immediate' && subscription.active && !subscription.retired;
}

/** Deliveries of one order key run one after the other. */
export function orderKeyOf({ line, orderBy }: Subscription, event: DomainEvent): string {
  return `${line} ${orderBy(event as never)}`;
}

function subscriptionsOf(type: Type, isActive: (module: string) => boolean): Subscription[] {
  const { name: module, providers } = definitionOf(type);
  const classes = providers.filter((provider): provider is Type => typeof provider === 'function');
  return classes.flatMap((handler) =>
    declarationsOf(handler).map(({ formerNames, ...declaration }) => {
      const present = `${module}.${declaration.method}`;
      const names = [...formerNames, present];
      const name = formerNames[0] ?? present;
      const line = lineOf(declaration, module, name);
      return { ...declaration, name, names, line, module, handler, active: isActive(module) };
    }),
  );
}

function lineOf({ lane, line }: Pick<Declaration, 'lane' | 'line'>, module: string, name: string): string {
  if (line) return `${module}.${line}`;
  return lane === 'side-effect' ? name : module;
}
