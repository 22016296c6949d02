import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { activeModules, BackboneModule, type BackboneOptions } from '../../src/backbone/backbone.module.js';
import { AlertsModule } from './alerts/alerts.module.js';
import { CONFIG, type Config } from './config.js';
import { ReadingsModule } from './readings/readings.module.js';

/** In the sequence in which their reactions run. */
export const MODULES: readonly Type[] = [ReadingsModule, AlertsModule];

@Module({})
export class AppModule {
  static of(config: Config, database: Pick<BackboneOptions, 'database' | 'databaseUrl'>): DynamicModule {
    const backbone = BackboneModule.of({ settings: config, ...database, modules: MODULES, isWhole: true });
    return {
      module: AppModule,
      global: true,
      imports: [backbone, ...activeModules(MODULES, config.modules)],
      providers: [{ provide: CONFIG, useValue: config }],
      exports: [CONFIG],
    };
  }
}
