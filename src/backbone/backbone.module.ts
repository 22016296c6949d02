import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { Database } from '../common/database/database.js';
import { initialiseTransactionCounters } from '../common/database/transaction-metrics.js';
import { KeyRetention } from '../common/idempotency/key-retention.js';
import { MonitoringModule } from '../common/monitoring/monitoring.module.js';
import { RETENTION_POLICIES, RetentionRunner } from '../common/retention/retention.js';
import { BackPressure } from './back-pressure.js';
import { BACKBONE_SETTINGS, type BackboneSettings } from './backbone.settings.js';
import { contributionsTo, definitionOf } from './business-module.js';
import { CrashPoints } from './crash-points.js';
import { Deliveries } from './delivery/deliveries.js';
import { initialiseDeliveryCounters } from './delivery/delivery-metrics.js';
import { DeliveryReader } from './delivery/delivery-reader.js';
import { DeliveryRetention } from './delivery/delivery-retention.js';
import { DeliveryRunner } from './delivery/delivery-runner.js';
import { Relay } from './delivery/relay.js';
import { EndedDeliveries } from './ended-deliveries.js';
import { EventReader } from './event-reader.js';
import { BackboneLifecycle } from './lifecycle/backbone-lifecycle.js';
import { BackboneMonitoring } from './lifecycle/backbone-monitoring.js';
import { assertSubscribed, StartUpChecks } from './lifecycle/start-up-checks.js';
import { EventLog } from './log/event-log.js';
import { BACKBONE_MIGRATIONS } from './migrations/backbone-migrations.js';
import { InTransactionDispatcher } from './publishing/in-transaction-dispatcher.js';
import { UnitOfWork } from './publishing/unit-of-work.js';
import { Dispatcher } from './queue/dispatcher.js';
import { JobHandler, type ModuleWorker } from './queue/module-worker.js';
import { queuesOf, workerOf } from './queue/queues.js';
import { WORKERS, WorkerSupervisor } from './queue/worker-supervisor.js';
import { EventContracts } from './registry/event-contracts.js';
import { Handlers } from './registry/handlers.js';
import { Subscriptions } from './registry/subscriptions.js';
import { TransactionRunner } from './transaction.js';

export interface BackboneOptions {
  readonly settings: BackboneSettings;
  readonly database: Database;
  /** For BullMQ, where it runs on PostgreSQL. */
  readonly databaseUrl: string;
  /** All modules of the program, in the sequence in which their reactions run. */
  readonly modules: readonly Type[];
  /** False where only a subset of the modules is loaded, so the check for events without subscribers is skipped. */
  readonly isWhole: boolean;
}

/** The modules of the program that run in this process. */
export function activeModules(modules: readonly Type[], named: BackboneSettings['modules']): Type[] {
  return modules.filter((module) => named === null || named.includes(definitionOf(module).name));
}

/** The event backbone: transactions, the event log, deliveries and their queues. README.md has the diagrams. */
@Module({})
export class BackboneModule {
  static readonly migrations = BACKBONE_MIGRATIONS;

  static of({ settings, database, databaseUrl, modules, isWhole }: BackboneOptions): DynamicModule {
    const activeTypes = activeModules(modules, settings.modules);
    const active = activeTypes.map((module) => definitionOf(module).name);
    const names = modules.map((module) => definitionOf(module).name);
    const subscriptions = new Subscriptions(modules, (module) => active.includes(module));
    const contracts = new EventContracts(modules.flatMap((module) => Object.values(definitionOf(module).events)));
    const subscribers = subscriptions.all.filter((each) => each.active).map(({ name }) => name);
    initialiseTransactionCounters(['backbone', ...active]);
    initialiseDeliveryCounters(subscribers);
    if (isWhole) assertSubscribed(contracts, subscriptions);
    const queues = { queue: settings.queue, databaseUrl };
    const workers = settings.queue.workers ? active.map((module) => workerOf(module, queues)) : [];
    const policies = [DeliveryRetention, KeyRetention, ...contributionsTo('retention', activeTypes)];
    return {
      module: BackboneModule,
      global: true,
      imports: [EventEmitterModule.forRoot(), MonitoringModule, ...queuesOf(names, queues)],
      providers: [
        { provide: BACKBONE_SETTINGS, useValue: settings },
        { provide: Database, useValue: database },
        { provide: CrashPoints, useValue: new CrashPoints(settings.crashAt) },
        { provide: Subscriptions, useValue: subscriptions },
        { provide: EventContracts, useValue: contracts },
        Handlers,
        InTransactionDispatcher,
        EventLog,
        EventReader,
        UnitOfWork,
        { provide: TransactionRunner, useExisting: UnitOfWork },
        Dispatcher,
        Deliveries,
        DeliveryReader,
        EndedDeliveries,
        DeliveryRunner,
        { provide: JobHandler, useExisting: DeliveryRunner },
        Relay,
        BackPressure,
        DeliveryRetention,
        KeyRetention,
        { provide: RETENTION_POLICIES, useValue: policies },
        RetentionRunner,
        ...workers,
        { provide: WORKERS, useFactory: (...hosts: ModuleWorker[]) => hosts, inject: workers },
        WorkerSupervisor,
        StartUpChecks,
        BackboneLifecycle,
        BackboneMonitoring,
      ],
      exports: [
        BACKBONE_SETTINGS,
        Database,
        TransactionRunner,
        Subscriptions,
        EventContracts,
        EventReader,
        DeliveryReader,
        EndedDeliveries,
        Dispatcher,
        BackPressure,
      ],
    };
  }
}
