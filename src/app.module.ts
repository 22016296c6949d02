import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { activeModules, BackboneModule, type BackboneOptions } from './common/events/backbone.module.js';
import { HttpModule } from './common/http/http.module.js';
import { OperationsModule } from './common/operations/operations.module.js';
import { InventoryModule } from './inventory/inventory.module.js';
import { NotificationsModule } from './notifications/notifications.module.js';
import { OrdersModule } from './orders/orders.module.js';

/** The modules of the shop, in the order in which their reactions run. */
export const MODULES: readonly Type[] = [InventoryModule, OrdersModule, NotificationsModule];

@Module({})
export class AppModule {
  static of(options: Pick<BackboneOptions, 'config' | 'database' | 'databaseUrl'>): DynamicModule {
    return {
      module: AppModule,
      imports: [
        BackboneModule.forRoot({ ...options, modules: MODULES, isWhole: true }),
        HttpModule,
        OperationsModule,
        ...activeModules(MODULES, options.config),
      ],
    };
  }
}
