import { parseArgs } from 'node:util';
import type { Queues, Topology } from './rig.js';

const USAGE = `npm run faults -- [options]

  --smoke          a fixed seed, every kind of fault at least once
  --seed N         repeats the sequence of faults of an earlier run
  --faults N       number of faults (200)
  --orders N       minimum number of acknowledged orders (0)
  --clients N      number of concurrent clients (8)
  --topology T     mixed (default), whole or split: which process has which modules
  --queues Q       redis (default) or postgres; with postgres there are no faults of Redis
  --only TEXT      only kinds of faults, or planted bugs, with this text in their names
  --planted        builds with a planted bug, each of which must make the campaign fail
  --tutorial       the pattern that tutorials teach, instead of Orderly
  --json FILE      writes the complete outcome to this file
`;

const TOPOLOGIES: readonly string[] = ['mixed', 'whole', 'split'] satisfies Topology[];
const QUEUES: readonly string[] = ['redis', 'postgres'] satisfies Queues[];

export interface Options {
  readonly smoke: boolean;
  readonly planted: boolean;
  readonly tutorial: boolean;
  readonly seed: number;
  readonly faults: number;
  readonly orders: number;
  readonly clients: number;
  readonly topology: Topology;
  readonly queues: Queues;
  readonly only: string;
  readonly json: string | undefined;
}

/** @throws {TypeError} with the usage text */
export function readOptions(): Options {
  const { values } = parsed();
  const { topology, queues } = values;
  if (!TOPOLOGIES.includes(topology))
    throw new TypeError(`--topology must be ${TOPOLOGIES.join(', ')}, not ${topology}\n\n${USAGE}`);
  if (!QUEUES.includes(queues))
    throw new TypeError(`--queues must be ${QUEUES.join(' or ')}, not ${queues}\n\n${USAGE}`);
  if (queues !== 'redis' && (values.tutorial || values.planted))
    throw new TypeError(`--tutorial and --planted require --queues redis\n\n${USAGE}`);
  return {
    smoke: values.smoke,
    planted: values.planted,
    tutorial: values.tutorial,
    seed: number('seed', values.seed ?? (values.smoke || values.planted ? '1' : String(Date.now() % 1_000_000)), 0),
    faults: number('faults', values.faults, 1),
    orders: number('orders', values.orders, 0),
    clients: number('clients', values.clients, 1),
    topology: topology as Topology,
    queues: queues as Queues,
    only: values.only,
    json: values.json,
  };
}

function parsed() {
  try {
    return parseArgs({
      options: {
        smoke: { type: 'boolean', default: false },
        planted: { type: 'boolean', default: false },
        tutorial: { type: 'boolean', default: false },
        seed: { type: 'string' },
        faults: { type: 'string', default: '200' },
        orders: { type: 'string', default: '0' },
        clients: { type: 'string', default: '8' },
        topology: { type: 'string', default: 'mixed' },
        queues: { type: 'string', default: 'redis' },
        only: { type: 'string', default: '' },
        json: { type: 'string' },
      },
    });
  } catch (error) {
    throw new TypeError(`${(error as Error).message}\n\n${USAGE}`, { cause: error });
  }
}

function number(name: string, text: string, min: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min) return value;
  throw new TypeError(`--${name} must be a whole number of at least ${min}, not ${text}\n\n${USAGE}`);
}
