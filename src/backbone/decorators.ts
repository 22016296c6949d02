import type { z } from 'zod';
import type { DomainEvent, EventContract, EventOf } from './domain-event.js';
import type { Transaction } from './transaction.js';

/** Where a handler runs: in the publisher's transaction, or after commit with or without a transaction of its own. */
type Mode = 'immediate' | 'later' | 'side-effect';

interface PartitionOptions {
  /**
   * The partition key within the ordering group. Deliveries of one partition run one after the other, in the sequence
   * of the log. Default: the subject. Publishers of one subject hold its row lock; publishers of events that share any
   * other key must hold a common lock too, because otherwise an event that commits later may have the smaller position.
   */
  readonly partitionBy?: (event: DomainEvent<never>) => string;
  /**
   * The subscribers among which the sequence of events is kept. Default: all reactions of a module form one group, so
   * that the module handles the events of a subject in version order; each side effect is a group of its own. Side
   * effects that name the same group here share it.
   */
  readonly orderingGroup?: string;
  /**
   * The permanent name, `<module>.<name>`. Default: the name of the method. Set it when the method is renamed, and keep
   * it for ever: deliveries, pauses and audit entries are stored under it, and older builds use it.
   */
  readonly name?: string;
  /**
   * Receives no new events, but pending deliveries are still handled. The last step before a handler is removed: an
   * older build that runs beside this one still creates deliveries for it, and none of them must be left behind.
   */
  readonly retired?: true;
}

/** How a durable subscription behaves when it fails. */
export interface DurableOptions extends PartitionOptions {
  /** The delivery is dead when the last of them fails. */
  readonly attempts?: number;
  /** Pause after the first failure; it doubles with each further one, up to the maximum, with jitter. */
  readonly backoff?: { readonly firstMs: number; readonly maxMs: number };
  /** The attempt fails after this time, and the handler's signal is aborted. */
  readonly timeoutMs?: number;
  /** Behind a dead delivery the later ones of its partition wait (park) or run (pass). */
  readonly behindDead?: 'park' | 'pass';
}

/** The second parameter of a side effect. No transaction is open while it runs. */
export interface SideEffectContext {
  /** Aborted when the timeout has passed or the process stops. */
  readonly signal: AbortSignal;
  /** 1 on the first run. */
  readonly attempt: number;
  /** True when no further attempt follows a failure of this one. */
  readonly lastAttempt: boolean;
}

/** A declared subscription, not yet bound to its module. */
export interface Declaration extends Required<Omit<DurableOptions, 'orderingGroup' | 'name' | 'retired'>> {
  readonly contract: EventContract;
  readonly mode: Mode;
  readonly method: string;
  readonly orderingGroup: string | undefined;
  readonly name: string | undefined;
  readonly retired: boolean;
}

type Handler<Contract, Context> = (event: EventOf<Contract>, context: Context) => Promise<void>;
type Decorate<Contract, Context> = <Method extends Handler<Contract, Context>>(
  prototype: object,
  method: string,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

const DEFAULTS = {
  attempts: 12,
  backoff: { firstMs: 1_000, maxMs: 15 * 60_000 },
  timeoutMs: 30_000,
  behindDead: 'park',
  name: undefined,
  orderingGroup: undefined,
  retired: false,
  partitionBy: (event: DomainEvent<never>) => event.subject,
} as const;

const declarations = new WeakMap<object, Declaration[]>();

/**
 * Subscribes a reaction: a handler that changes its module's own rows, through the given transaction.
 *
 * - plain: runs in the publisher's transaction and commits with the event or not at all; if it throws, all rolls back
 * - `later: true`: runs after commit in its own transaction, exactly once in effect, and is retried when it throws
 *
 * A plain reaction whose module runs in another process is delivered by the rules of `later`.
 */
export function ReactsTo<Schema extends z.ZodObject>(
  contract: EventContract<Schema>,
  options: DurableOptions & { readonly later?: boolean } = {},
): Decorate<EventContract<Schema>, Transaction> {
  const { later, ...durable } = options;
  return declare(contract, later ? 'later' : 'immediate', durable);
}

/**
 * Subscribes a side effect: a handler that calls the outside world. It runs after commit, with no transaction open, at
 * least once and never concurrently. Use the event's id as the idempotency key of the call.
 */
export function SideEffect<Schema extends z.ZodObject>(
  contract: EventContract<Schema>,
  options: DurableOptions = {},
): Decorate<EventContract<Schema>, SideEffectContext> {
  return declare(contract, 'side-effect', options);
}

/** The subscriptions declared on the methods of a class, in the sequence of their methods. */
export function declarationsOf(type: { readonly prototype: object }): readonly Declaration[] {
  return declarations.get(type.prototype) ?? [];
}

function declare<Contract, Context>(
  contract: unknown,
  mode: Mode,
  options: DurableOptions,
): Decorate<Contract, Context> {
  return (prototype, method) => {
    const declaration: Declaration = {
      ...DEFAULTS,
      ...options,
      contract: contract as EventContract,
      mode,
      method,
    };
    declarations.set(prototype, [...(declarations.get(prototype) ?? []), declaration]);
  };
}
