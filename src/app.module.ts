import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { activeModules, BackboneModule, type BackboneOptions } from './backbone/backbone.module.js';
import { CONFIG, type Config } from './config.js';
import { InventoryModule } from './inventory/inventory.module.js';
import { NotificationsModule } from './notifications/notifications.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { OrdersModule } from './orders/orders.module.js';

/** The modules of the shop, in the sequence in which their reactions run. */
export const MODULES: readonly Type[] = [InventoryModule, OrdersModule, NotificationsModule];

interface AppOptions extends Pick<BackboneOptions, 'database' | 'databaseUrl'> {
  readonly config: Config;
}

@Module({})
export class AppModule {
  static of({ config, database, databaseUrl }: AppOptions): DynamicModule {
    const active = activeModules(MODULES, config.modules);
    return {
      module: AppModule,
      global: true,
      imports: [
        BackboneModule.of({ settings: config, database, databaseUrl, modules: MODULES, isWhole: true }),
        OperationsModule.of(active, config),
        ...active,
      ],
      providers: [{ provide: CONFIG, useValue: config }],
      exports: [CONFIG],
    };
  }
}
