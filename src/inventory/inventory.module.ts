import { BusinessModule } from '../backbone/business-module.js';
import { InventoryChecks } from './inventory.checks.js';
import * as events from './inventory.events.js';
import { InventoryQueries } from './inventory.queries.js';
import { InventoryReactions } from './inventory.reactions.js';
import { CreateInventory1764000001000 } from './migrations/1764000001000-create-inventory.js';
import { Movement } from './movement.entity.js';
import { Product } from './product.entity.js';
import { ProductsController } from './products.controller.js';
import { ProductsImport } from './products.import.js';
import { ProductsService } from './products.service.js';
import { Reservations } from './reservations.js';
import { StockController } from './stock.controller.js';
import { Stock } from './stock.entity.js';
import { StockService } from './stock.service.js';

/** Products, stock levels, reservations, and the ledger of stock movements. */
@BusinessModule({
  name: 'inventory',
  events,
  controllers: [ProductsController, StockController],
  providers: [ProductsService, ProductsImport, StockService, Reservations, InventoryQueries, InventoryReactions],
  entities: [Product, Stock, Movement],
  migrations: [CreateInventory1764000001000],
  checks: [InventoryChecks],
})
export class InventoryModule {}
