import type { ModuleMetadata, Type } from '@nestjs/common';
import type { MigrationInterface } from 'typeorm';
import type { EventContract } from './events/domain-event.js';

/** What a module of the shop consists of. */
export interface ModuleDefinition extends Required<Pick<ModuleMetadata, 'controllers' | 'providers'>> {
  /** Also the name of its database schema, its role, its queue and the first part of its events' names. */
  readonly name: string;
  /** Everything that its events file exports: what it says. */
  readonly events: Readonly<Record<string, EventContract>>;
  readonly entities: readonly Type[];
  /** Run in the order of the timestamps at the end of their names. */
  readonly migrations: readonly Type<MigrationInterface>[];
}

const definitions = new WeakMap<object, ModuleDefinition>();

export function define(type: object, definition: ModuleDefinition): void {
  definitions.set(type, definition);
}

/** @throws {TypeError} when the class carries no `@BusinessModule` */
export function definitionOf(type: Type): ModuleDefinition {
  const definition = definitions.get(type);
  if (!definition) throw new TypeError(`${type.name} is no @BusinessModule`);
  return definition;
}
