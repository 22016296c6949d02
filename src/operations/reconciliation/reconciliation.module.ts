import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { contributionsTo } from '../../backbone/business-module.js';
import { AuditModule } from '../audit/audit.module.js';
import { BackboneChecks } from './backbone-checks.js';
import { CHECK_CLASSES, CheckRegistry } from './check-registry.js';
import { FindingsGauges } from './findings-gauges.js';
import { Reconciler } from './reconciler.js';
import { ReconciliationController } from './reconciliation.controller.js';
import { ReconciliationSchedule } from './reconciliation-schedule.js';
import { RepairService } from './repair.js';
import { Reports } from './reports.js';

/** Checks that rows which must agree do agree. */
@Module({})
export class ReconciliationModule {
  /** @param modules the business modules of this process */
  static of(modules: readonly Type[]): DynamicModule {
    return {
      module: ReconciliationModule,
      imports: [AuditModule],
      controllers: [ReconciliationController],
      providers: [
        { provide: CHECK_CLASSES, useValue: [BackboneChecks, ...contributionsTo('checks', modules)] },
        CheckRegistry,
        BackboneChecks,
        Reports,
        Reconciler,
        ReconciliationSchedule,
        RepairService,
        FindingsGauges,
      ],
    };
  }
}
