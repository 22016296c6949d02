import { Logger, type Type } from '@nestjs/common';
import { logOccasionally } from '../../common/logging/log-occasionally.js';
import { definitionOf, handlerClassesOf } from '../business-module.js';
import { type Declaration, declarationsOf } from '../decorators.js';
import type { DomainEvent } from '../domain-event.js';

/** A day. Node fires a timer of more than 24 days at once. */
const TIMEOUT_MAX_MS = 24 * 3_600_000;

const logger = new Logger('Subscriptions');

/** One subscriber: a handler method of a module with its contract. */
export interface Subscription extends Omit<Declaration, 'orderingGroup' | 'name'> {
  /** Permanent: `<module>.<method>`, or the name in the decorator. Deliveries and pauses are stored under it. */
  readonly name: string;
  readonly module: string;
  /** The provider class whose method handles the event. */
  readonly handler: Type;
  /** First part of the partition key. */
  readonly orderingGroup: string;
  /** Its module runs in this process. */
  readonly active: boolean;
}

/** All subscribers of the program: of the modules in this process and of the modules in other processes. */
export class Subscriptions {
  readonly all: readonly Subscription[];
  private readonly byType = new Map<string, Subscription[]>();
  private readonly byName = new Map<string, Subscription>();

  /**
   * @param modules all modules of the program, in the sequence in which their reactions run
   * @param isActive whether a module runs in this process
   * @throws {Error} when two subscribers share a name, a name is malformed, or a handler could never run
   */
  constructor(modules: readonly Type[], isActive: (module: string) => boolean) {
    this.all = modules.flatMap((module) => subscriptionsOf(module, isActive));
    for (const subscription of this.all) {
      assertRunnable(subscription);
      this.register(subscription);
      const { type } = subscription.contract;
      if (!subscription.retired) this.byType.set(type, [...this.to(type), subscription]);
    }
  }

  /** The subscribers that receive new events of this type. */
  to(type: string): readonly Subscription[] {
    return this.byType.get(type) ?? [];
  }

  named(name: string): Subscription | undefined {
    return this.byName.get(name);
  }

  private register(subscription: Subscription): void {
    const { name, module, method } = subscription;
    if (!isNameIn(module, name))
      throw new Error(`${module}.${method} has the permanent name ${name}: write ${module}.<name>`);
    if (this.byName.has(name))
      throw new Error(
        `Two subscribers have the name ${name}. A handler subscribes to one event: give each method its own name`,
      );
    this.byName.set(name, subscription);
  }
}

/** Without an attempt, or without time for it, a delivery would be dead before its handler has run. */
function assertRunnable({ name, attempts, timeoutMs }: Subscription): void {
  if (!Number.isInteger(attempts) || attempts < 1)
    throw new Error(`${name} has ${attempts} attempts: give it one or more`);
  if (!(timeoutMs > 0 && timeoutMs <= TIMEOUT_MAX_MS))
    throw new Error(`${name} has a timeout of ${timeoutMs} ms: give it more than 0 and at most ${TIMEOUT_MAX_MS}`);
}

/** Deliveries go to the queue of the module that their name starts with, so a name cannot move to another module. */
function isNameIn(module: string, name: string): boolean {
  return name.startsWith(`${module}.`) && /^\w+$/.test(name.slice(module.length + 1));
}

/** Whether it runs in the publisher's transaction in this process, rather than as a delivery. */
export function runsInTransaction({ mode, active, retired }: Subscription): boolean {
  return mode === 'immediate' && active && !retired;
}

/**
 * Deliveries with the same partition key run one after the other. The function of a subscriber runs in the publisher's
 * transaction, so its error must not fail the publisher: the subject replaces its result, in every process alike.
 */
export function partitionKeyOf({ name, orderingGroup, partitionBy }: Subscription, event: DomainEvent): string {
  try {
    const key: unknown = partitionBy(event as never);
    if (typeof key === 'string' && key !== '') return `${orderingGroup} ${key}`;
    throw new TypeError(`partitionBy returned ${typeof key === 'string' ? 'an empty text' : typeof key}`);
  } catch (err) {
    const message = `partitionBy of ${name} failed; its deliveries are ordered by subject instead`;
    logOccasionally(logger, 'error', { message, err, eventId: event.id });
    return `${orderingGroup} ${event.subject}`;
  }
}

function subscriptionsOf(type: Type, isActive: (module: string) => boolean): Subscription[] {
  const { name: module } = definitionOf(type);
  return handlerClassesOf(type).flatMap((handler) =>
    declarationsOf(handler).map((declaration) => {
      const name = declaration.name ?? `${module}.${declaration.method}`;
      const orderingGroup = orderingGroupOf(declaration, module, name);
      return { ...declaration, name, orderingGroup, module, handler, active: isActive(module) };
    }),
  );
}

function orderingGroupOf({ mode, orderingGroup }: Declaration, module: string, name: string): string {
  if (orderingGroup) return `${module}.${orderingGroup}`;
  return mode === 'side-effect' ? name : module;
}
