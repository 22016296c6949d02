import { z } from 'zod';

/** What a module states: a fact before it has been written down. Made by calling a contract, consumed by `tx.publish`. */
export interface Fact<Data = unknown> {
  readonly type: string;
  readonly subject: string;
  readonly data: Data;
}

/** A fact that happened: plain JSON, the same in memory, in a queue and on a network. */
export interface DomainEvent<Data = unknown> extends Fact<Data> {
  /** UUIDv7; also the idempotency key of every side effect. */
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly occurredAt: string;
  /** The request or job at the far end of the chain that led here. */
  readonly correlationId: string;
  /** The event that led to this one, if one did. */
  readonly causationId: string | null;
}

interface Definition<Schema extends z.ZodObject> {
  /** Wire name `<module>.<fact-in-kebab>.v<major>`. Never rename it. */
  readonly type: string;
  /** What the fact means, in one or two sentences of the shop. Shown in docs/events.md. */
  readonly description: string;
  /** The thing the fact is about, e.g. `order/0192…`. Its events have the versions 1, 2, 3 … */
  readonly subject: (data: z.output<Schema>) => string;
  readonly data: Schema;
  /** Set where nobody inside Orderly listens on purpose, else start-up refuses an event without subscribers. */
  readonly allowNoSubscribers?: true;
}

/** The promise behind an event: call it to state the fact, name it in a decorator to hear it. */
export interface EventContract<Schema extends z.ZodObject = z.ZodObject> extends Definition<Schema> {
  (data: z.input<Schema>): Fact<z.output<Schema>>;
  /** The module that says it. */
  readonly module: string;
}

/** The type of a contract's events, for the parameter of a handler. */
export type EventOf<Contract> = Contract extends EventContract<infer Schema> ? DomainEvent<z.output<Schema>> : never;

const wireName = /^([a-z]+)\.[a-z]+(-[a-z]+)*\.v[1-9]\d*$/;

/**
 * Defines an event contract. The schema is the promise: what does not fit it is not published, and a reader drops
 * fields that it does not know, so adding an optional field keeps the version.
 * @throws {TypeError} when the wire name is malformed
 */
export function defineEvent<Schema extends z.ZodObject>(definition: Definition<Schema>): EventContract<Schema> {
  const module = wireName.exec(definition.type)?.[1];
  if (!module) throw new TypeError(`${definition.type} is no wire name: write <module>.<fact-in-kebab>.v<major>`);
  const state = (input: z.input<Schema>): Fact<z.output<Schema>> => {
    const data = definition.data.parse(input);
    return { type: definition.type, subject: definition.subject(data), data };
  };
  return Object.assign(state, definition, { module });
}

/** Marks a field of an event as personal data, so that an erasure can find it. */
export function personal<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema.meta({ personal: true });
}
