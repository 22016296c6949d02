import type { z } from 'zod';
import type { DomainEvent, EventContract, EventOf } from './domain-event.js';
import type { Transaction } from './transaction.js';

/** Where a handler runs: in the publisher's transaction, or after commit with or without a transaction of its own. */
type Lane = 'immediate' | 'later' | 'side-effect';

interface OrderOptions {
  /**
   * What must not be overtaken: deliveries of one key in one line run one after the other. Default: the subject, whose
   * publishers hold its row lock. Of any other key they have to hold a common lock as well, or what commits late comes
   * late.
   */
  readonly orderBy?: (event: DomainEvent<never>) => string;
  /**
   * Whom the order is kept for. A module's reactions form one line, so that it hears of one subject in the order in
   * which things happened; a side effect forms a line of its own, or shares the one named here with others.
   */
  readonly line?: string;
  /**
   * What this handler was called before, oldest first: `['orders.countSale']`. The oldest stays its name in deliveries and
   * for operators, so a renaming changes nothing for what waits or for older builds. Keep them for ever.
   */
  readonly formerNames?: readonly string[];
  /**
   * Hears nothing new, but what waits for it is still handled: the last step before a handler is removed, so that an older
   * build beside this one, which still writes deliveries for it, leaves none behind.
   */
  readonly retired?: true;
}

/** How a durable subscription behaves when it fails. */
export interface DurableOptions extends OrderOptions {
  /** Runs before the delivery is dead. */
  readonly attempts?: number;
  /** Pause after the first failure; it doubles with each further one, up to the maximum, with jitter. */
  readonly backoff?: { readonly firstMs: number; readonly maxMs: number };
  /** After this the handler's signal is aborted and the attempt has failed. */
  readonly timeoutMs?: number;
  /** Behind a dead delivery the later ones of its key wait (park) or go on (pass). */
  readonly behindDead?: 'park' | 'pass';
}

/** What a side effect gets besides its event: there is no transaction open while it runs. */
export interface SideEffectContext {
  /** Aborted when the timeout has passed or the process stops. */
  readonly signal: AbortSignal;
  /** 1 on the first run. */
  readonly attempt: number;
  /** True when no further attempt follows a failure of this one. */
  readonly lastAttempt: boolean;
}

/** A declared subscription, before it knows its module. */
export interface Declaration extends Required<Omit<DurableOptions, 'line' | 'retired'>> {
  readonly contract: EventContract;
  readonly lane: Lane;
  readonly method: string;
  readonly line: string | undefined;
  readonly retired: boolean;
}

type Handler<Contract, Last> = (event: EventOf<Contract>, last: Last) => Promise<void>;
type Decorate<Contract, Last> = <Method extends Handler<Contract, Last>>(
  prototype: object,
  method: string,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

const DEFAULTS = {
  attempts: 12,
  backoff: { firstMs: 1_000, maxMs: 15 * 60_000 },
  timeoutMs: 30_000,
  behindDead: 'park',
  formerNames: [],
  line: undefined,
  retired: false,
  orderBy: (event: DomainEvent<never>) => event.subject,
} as const;

const declarations = new WeakMap<object, Declaration[]>();

/**
 * The module changes its own rows because of an event, through the given transaction.
 *
 * Plain: runs in the publisher's transaction, commits with the event or not at all, and may veto by throwing.
 * `later: true`: runs after commit in a transaction of its own, exactly once in effect, retried when it throws.
 * A plain reaction whose module lives in another process is delivered by the rules of `later`.
 */
export function ReactsTo<Schema extends z.ZodObject>(
  contract: EventContract<Schema>,
  options: DurableOptions & { readonly later?: boolean } = {},
): Decorate<EventContract<Schema>, Transaction> {
  const { later, ...durable } = options;
  return declare(contract, later ? 'later' : 'immediate', durable);
}

/**
 * The module touches the world outside the database because of an event: after commit, with no transaction open, at
 * least once and never concurrently. Use the event's id as the idempotency key of whatever is called.
 */
export function SideEffect<Schema extends z.ZodObject>(
  contract: EventContract<Schema>,
  options: DurableOptions = {},
): Decorate<EventContract<Schema>, SideEffectContext> {
  return declare(contract, 'side-effect', options);
}

/** The subscriptions declared on the methods of a class, in the order of their methods. */
export function declarationsOf(type: { readonly prototype: object }): readonly Declaration[] {
  return declarations.get(type.prototype) ?? [];
}

function declare<Contract, Last>(contract: unknown, lane: Lane, options: DurableOptions): Decorate<Contract, Last> {
  return (prototype, method) => {
    const declaration: Declaration = { ...DEFAULTS, ...options, contract: contract as EventContract, lane, method };
    declarations.set(prototype, [...(declarations.get(prototype) ?? []), declaration]);
  };
}
