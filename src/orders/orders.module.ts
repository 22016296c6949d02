import { BusinessModule } from '../backbone/business-module.js';
import { CreateOrders1764000002000 } from './migrations/1764000002000-create-orders.js';
import { Order } from './order.entity.js';
import { OrderLine } from './order-line.entity.js';
import { OrdersChecks } from './orders.checks.js';
import { OrdersController } from './orders.controller.js';
import * as events from './orders.events.js';
import { OrdersQueries } from './orders.queries.js';
import { OrdersReactions } from './orders.reactions.js';
import { OrdersService } from './orders.service.js';
import { OrdersStore } from './orders.store.js';
import { Price } from './price.entity.js';
import { PriceList } from './price-list.js';

/** Orders of customers, from placed to delivered, with the prices at the time of placing. */
@BusinessModule({
  name: 'orders',
  events,
  controllers: [OrdersController],
  providers: [OrdersService, OrdersStore, PriceList, OrdersQueries, OrdersReactions],
  entities: [Order, OrderLine, Price],
  migrations: [CreateOrders1764000002000],
  checks: [OrdersChecks],
})
export class OrdersModule {}
