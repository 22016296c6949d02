import { BusinessModule } from '../common/business-module.js';
import * as events from './inventory.events.js';
import { InventoryQueries } from './inventory.queries.js';
import { InventoryReactions } from './inventory.reactions.js';
import { InventoryReconciliation } from './inventory.reconciliation.js';
import { Movement } from './ledger.js';
import { CreateInventory1764000001000 } from './migrations/1764000001000-create-inventory.js';
import { Product } from './product.entity.js';
import { ProductsController } from './products.controller.js';
import { ProductsImport } from './products.import.js';
import { ProductsService } from './products.service.js';
import { Reservations } from './reservations.js';
import { StockController } from './stock.controller.js';
import { Stock } from './stock.entity.js';
import { StockService } from './stock.service.js';

/** What there is: products, stock levels, reservations and the ledger behind them. */
@BusinessModule({
  name: 'inventory',
  events,
  controllers: [ProductsController, StockController],
  providers: [
    ProductsService,
    ProductsImport,
    StockService,
    Reservations,
    InventoryQueries,
    InventoryReactions,
    InventoryReconciliation,
  ],
  entities: [Product, Stock, Movement],
  migrations: [CreateInventory1764000001000],
})
export class InventoryModule {}
