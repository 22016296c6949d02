import 'reflect-metadata';
import { MODULES } from '../../dist/app.module.js';
import { definitionOf } from '../../dist/backbone/business-module.js';
import { EventContracts } from '../../dist/backbone/registry/event-contracts.js';
import { Subscriptions } from '../../dist/backbone/registry/subscriptions.js';
import { createAsyncApi } from '../../dist/backbone/schemas/async-api.js';
import { schemasOf } from '../../dist/backbone/schemas/event-schema.js';
import { incompatibilitiesBetween } from '../../dist/backbone/schemas/schema-compatibility.js';

const modules = MODULES.map(definitionOf).map(({ name, events }) => ({ name, contracts: Object.values(events) }));
const publishers = modules
  .filter(({ contracts }) => contracts.length > 0)
  .map((module) => ({ ...module, path: `src/${module.name}/${module.name}.events.schema.json` }));

/** The JSON Schemas of every module's events, by path. */
export function schemaFiles() {
  return Object.fromEntries(publishers.map(({ contracts, path }) => [path, json(schemasOf(contracts))]));
}

/** docs/asyncapi.json */
export function asyncApiFile() {
  const contracts = new EventContracts(modules.flatMap((module) => module.contracts));
  return json(createAsyncApi(contracts, new Subscriptions(MODULES, () => true)));
}

/**
 * Changes of events that other running builds could not read. While there are any, the committed schemas are not
 * overwritten.
 * @param textOf returns the text of a committed file, or null
 */
export function incompatibleChanges(textOf) {
  return publishers.flatMap(({ contracts, path }) => {
    const committed = textOf(path);
    return committed === null ? [] : incompatibilitiesBetween(JSON.parse(committed), contracts);
  });
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
