import { z } from 'zod';

/** A fact that a module states, before it is stored as an event. Made by calling a contract, passed to `tx.publish`. */
export interface Fact<Data = unknown> {
  readonly type: string;
  readonly subject: string;
  readonly data: Data;
}

/** A fact that was published: plain JSON, the same in memory, in a queue and on a network. */
export interface DomainEvent<Data = unknown> extends Fact<Data> {
  /** UUIDv7; also the idempotency key of every side effect. */
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly occurredAt: string;
  /** Identifies the request or job that the chain of events began with. */
  readonly correlationId: string;
  /** The id of the event that led to this one; null when none did. */
  readonly causationId: string | null;
}

interface Definition<Schema extends z.ZodObject> {
  /** Wire name `<module>.<fact-in-kebab-case>.v<major>`. Never rename it. */
  readonly type: string;
  /** The meaning of the fact, in one or two sentences of the business. Shown in docs/events.md. */
  readonly description: string;
  /** The thing that the fact is about, e.g. `order/0192…`. Its events have the versions 1, 2, 3 … */
  readonly subject: (data: z.output<Schema>) => string;
  readonly data: Schema;
  /** Set where the event has no subscriber on purpose. Without it, the program refuses to start. */
  readonly allowNoSubscribers?: true;
}

/** The contract of an event. Call it to state a fact; pass it to a decorator to subscribe to the event. */
export interface EventContract<Schema extends z.ZodObject = z.ZodObject> extends Definition<Schema> {
  (data: z.input<Schema>): Fact<z.output<Schema>>;
  /** The module that publishes it. */
  readonly module: string;
}

/** The type of a contract's events, for the parameter of a handler. */
export type EventOf<Contract> = Contract extends EventContract<infer Schema> ? DomainEvent<z.output<Schema>> : never;

const WIRE_NAME = /^([a-z]+)\.[a-z]+(-[a-z]+)*\.v[1-9]\d*$/;

/**
 * Defines an event contract. Data that does not match the schema is not published, and a reader drops fields that its
 * schema does not have. So an optional field may be added without a new version.
 * @throws {TypeError} when the wire name is malformed
 */
export function defineEvent<Schema extends z.ZodObject>(definition: Definition<Schema>): EventContract<Schema> {
  const module = WIRE_NAME.exec(definition.type)?.[1];
  if (!module)
    throw new TypeError(`${definition.type} is not a wire name: write <module>.<fact-in-kebab-case>.v<major>`);
  const state = (input: z.input<Schema>): Fact<z.output<Schema>> => {
    const data = definition.data.parse(input);
    return { type: definition.type, subject: definition.subject(data), data };
  };
  return Object.assign(state, definition, { module });
}

/** Marks a field of an event as personal data, so that it is not shown to operators, and an erasure can find it. */
export function personal<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema.meta({ personal: true });
}
