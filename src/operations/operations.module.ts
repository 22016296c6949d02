import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { contributionsTo } from '../backbone/business-module.js';
import { OPERATIONS_SETTINGS, type OperationsSettings } from './operations.settings.js';
import { OperatorApiModule } from './operator-api/operator-api.module.js';
import { RECONCILIATION_MIGRATIONS } from './reconciliation/migrations/reconciliation-migrations.js';
import { ReconciliationModule } from './reconciliation/reconciliation.module.js';
import { TIMELINE_SOURCES, Timeline } from './timeline.js';

/** The tools of operators: operator API, audit, timelines and reconciliation. */
@Module({})
export class OperationsModule {
  static readonly migrations = RECONCILIATION_MIGRATIONS;

  /** @param modules the business modules of this process */
  static of(modules: readonly Type[], settings: OperationsSettings): DynamicModule {
    return {
      module: OperationsModule,
      global: true,
      imports: [OperatorApiModule, ReconciliationModule.of(modules)],
      providers: [
        { provide: OPERATIONS_SETTINGS, useValue: settings },
        { provide: TIMELINE_SOURCES, useValue: contributionsTo('timeline', modules) },
        Timeline,
      ],
      exports: [OPERATIONS_SETTINGS, Timeline],
    };
  }
}
