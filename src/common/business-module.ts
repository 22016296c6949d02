import { Module } from '@nestjs/common';
import { transactionsOf } from './events/transactions.js';
import { define, type ModuleDefinition } from './module-definition.js';

/** A module of the shop: a Nest module with a name, rows of its own and `Transactions` bound to them. */
export function BusinessModule(definition: ModuleDefinition): ClassDecorator {
  return (type) => {
    define(type, definition);
    const { controllers, providers, name } = definition;
    Module({ controllers, providers: [...providers, transactionsOf(name)] })(type);
  };
}
