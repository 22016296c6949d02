import { Module, type ModuleMetadata, type Provider, type Type } from '@nestjs/common';
import type { MigrationInterface } from 'typeorm';
import { Database } from '../common/database/database.js';
import type { RetentionPolicy } from '../common/retention/retention.js';
import type { EventContract } from './domain-event.js';
import { TransactionRunner, Transactions } from './transaction.js';

/**
 * @public augmented by the rooms above
 *
 * Extension points of the rooms above, each a list of provider classes. They are added by module augmentation where
 * they are defined: `checks` in operations/checks.ts, `timeline` in operations/timeline.ts.
 */
export interface ModuleExtensions {}

/** Everything that a business module contributes. */
export interface ModuleDefinition
  extends Required<Pick<ModuleMetadata, 'controllers' | 'providers'>>,
    ModuleExtensions {
  /** Also the name of its database schema, its role, its queue and the first part of its events' wire names. */
  readonly name: string;
  /** Everything that its events file exports: the events that it publishes. */
  readonly events: Readonly<Record<string, EventContract>>;
  readonly entities: readonly Type[];
  /** Run in the sequence of the timestamps at the end of their names. */
  readonly migrations: readonly Type<MigrationInterface>[];
  /** Deletes the module's old rows. */
  readonly retention?: readonly Type<RetentionPolicy>[];
}

const definitions = new WeakMap<object, ModuleDefinition>();

/** Members of a definition that are no extension points. */
const BASICS = ['name', 'events', 'controllers', 'providers', 'entities', 'migrations'] as const;

type ExtensionPoint = Exclude<keyof ModuleDefinition, (typeof BASICS)[number]>;

/**
 * A business module: a Nest module with a name, a database schema, its events, `Transactions` bound to its schema, and
 * its contributions to extension points, whose classes become providers of the module.
 */
export function BusinessModule(definition: ModuleDefinition): ClassDecorator {
  return (type) => {
    definitions.set(type, definition);
    const { name, controllers, providers } = definition;
    const contributed = contributedClasses(definition);
    Module({ controllers, providers: [...providers, ...contributed, transactionsOf(name)] })(type);
  };
}

/** @throws {TypeError} when the class carries no `@BusinessModule` */
export function definitionOf(type: Type): ModuleDefinition {
  const definition = definitions.get(type);
  if (!definition) throw new TypeError(`${type.name} has no @BusinessModule decorator`);
  return definition;
}

/** The classes of a module whose methods can be handlers: its providers and its contributions to extension points. */
export function handlerClassesOf(type: Type): Type[] {
  const definition = definitionOf(type);
  const providers = definition.providers.filter((provider): provider is Type => typeof provider === 'function');
  return [...new Set([...providers, ...contributedClasses(definition)])];
}

/** The classes that some modules contribute to an extension point. */
export function contributionsTo<Point extends ExtensionPoint>(
  point: Point,
  modules: readonly Type[],
): NonNullable<ModuleDefinition[Point]>[number][] {
  return modules.flatMap((module) => [...(definitionOf(module)[point] ?? [])]);
}

function contributedClasses(definition: ModuleDefinition): Type[] {
  return Object.entries(definition)
    .filter(([point]) => !BASICS.some((basic) => basic === point))
    .flatMap(([, types]) => types);
}

function transactionsOf(module: string): Provider {
  return {
    provide: Transactions,
    useFactory: (database: Database, runner: TransactionRunner) => new Transactions(module, database, runner),
    inject: [Database, TransactionRunner],
  };
}
