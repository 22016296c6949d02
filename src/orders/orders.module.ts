import { BusinessModule } from '../common/business-module.js';
import { CreateOrders1764000002000 } from './migrations/1764000002000-create-orders.js';
import { Order } from './order.entity.js';
import { OrderLine } from './order-line.entity.js';
import { OrdersController } from './orders.controller.js';
import * as events from './orders.events.js';
import { OrdersQueries } from './orders.queries.js';
import { OrdersReactions } from './orders.reactions.js';
import { OrdersReconciliation } from './orders.reconciliation.js';
import { OrdersService } from './orders.service.js';
import { OrdersStore } from './orders.store.js';
import { Price, PriceList } from './price-list.js';

/** What customers want: orders from placed to delivered, at the prices of the moment. */
@BusinessModule({
  name: 'orders',
  events,
  controllers: [OrdersController],
  providers: [OrdersService, OrdersStore, PriceList, OrdersQueries, OrdersReactions, OrdersReconciliation],
  entities: [Order, OrderLine, Price],
  migrations: [CreateOrders1764000002000],
})
export class OrdersModule {}
