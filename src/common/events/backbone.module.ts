import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../database/database.js';
import { beginAtZero } from '../metrics/zeros.js';
import { definitionOf } from '../module-definition.js';
import { Pruning } from '../retention/pruning.js';
import { Backbone } from './backbone.js';
import { Contracts } from './contracts.js';
import { CrashPoints } from './crash-points.js';
import { Deliveries } from './deliveries.js';
import { DeliveryRetention } from './delivery-retention.js';
import { DeliveryRunner } from './delivery-runner.js';
import { Dispatcher } from './dispatcher.js';
import { EndedDeliveries } from './ended-deliveries.js';
import { EventLog } from './event-log.js';
import { Handlers } from './handlers.js';
import { ImmediateLane } from './immediate-lane.js';
import type { ModuleWorker } from './module-worker.js';
import { queuesOf, workerOf } from './queues.js';
import { Relay } from './relay.js';
import { assertHeard, StartUpChecks } from './start-up-checks.js';
import { Subscriptions } from './subscriptions.js';
import { UnitOfWork } from './unit-of-work.js';
import { UnreadableDeliveries } from './unreadable-deliveries.js';
import { WORKERS, WorkerWatch } from './worker-watch.js';

export interface BackboneOptions {
  readonly config: Config;
  readonly database: Database;
  /** Where BullMQ finds PostgreSQL when it runs there. */
  readonly databaseUrl: string;
  /** Every module of the shop, in the order in which their reactions run. */
  readonly modules: readonly Type[];
  /** False where the modules are not the whole shop, so that nobody may be there to hear what they say. */
  readonly isWhole: boolean;
}

/** The modules of the shop that run in this process. */
export function activeModules(modules: readonly Type[], config: Pick<Config, 'modules'>): Type[] {
  const named = config.modules;
  return modules.filter((module) => named === null || named.includes(definitionOf(module).name));
}

/** The event backbone: what carries events between modules and keeps their promises. */
@Module({})
export class BackboneModule {
  static forRoot({ config, database, databaseUrl, modules, isWhole }: BackboneOptions): DynamicModule {
    const active = activeModules(modules, config).map((module) => definitionOf(module).name);
    const names = modules.map((module) => definitionOf(module).name);
    const subscriptions = new Subscriptions(modules, (module) => active.includes(module));
    const contracts = new Contracts(modules.flatMap(contractsOf));
    const subscribers = subscriptions.all.filter(({ active: isOurs }) => isOurs);
    beginAtZero(
      ['backbone', ...active],
      subscribers.map(({ name }) => name),
    );
    if (isWhole) assertHeard(contracts, subscriptions);
    const settings = { queue: config.queue, databaseUrl };
    const workers = config.queue.workers ? active.map((module) => workerOf(module, settings)) : [];
    return {
      module: BackboneModule,
      global: true,
      imports: [EventEmitterModule.forRoot(), ...queuesOf(names, settings)],
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: Database, useValue: database },
        { provide: CrashPoints, useValue: new CrashPoints(config.crashAt) },
        { provide: Subscriptions, useValue: subscriptions },
        Handlers,
        ImmediateLane,
        EventLog,
        Dispatcher,
        Deliveries,
        UnitOfWork,
        DeliveryRunner,
        Relay,
        UnreadableDeliveries,
        StartUpChecks,
        Pruning,
        DeliveryRetention,
        EndedDeliveries,
        ...workers,
        { provide: Contracts, useValue: contracts },
        { provide: WORKERS, useFactory: (...hosts: ModuleWorker[]) => hosts, inject: workers },
        WorkerWatch,
        Backbone,
      ],
      exports: [CONFIG, Database, UnitOfWork, Dispatcher, Backbone, Subscriptions, Contracts, Pruning, EndedDeliveries],
    };
  }
}

function contractsOf(module: Type) {
  return Object.values(definitionOf(module).events);
}
