import { v7 as uuidv7 } from 'uuid';
import { ModuleStage } from '../common/testing/module-stage.js';
import { OrderCancelled, OrderPlaced, OrderShipped } from '../orders/orders.events.js';
import { InventoryModule } from './inventory.module.js';
import { StockReleased, StockReserved, StockShort } from './inventory.events.js';

const chai = { name: 'Chai', category: 'Beverages', unitPrice: { amount: 1800, currency: 'USD' }, reorderLevel: 10 };
const customer = { name: 'Maria Anders', email: 'maria@example.com' };

describe('inventory', () => {
  let inventory: ModuleStage;

  beforeEach(async () => {
    inventory = await ModuleStage.of(InventoryModule);
  });

  afterEach(() => inventory.close());

  async function stocked(sku: string, onHand: number): Promise<void> {
    await inventory.put(`/v1/products/${sku}`, chai);
    await inventory.post(`/v1/stock/${sku}/receipts`, { quantity: onHand, reference: 'PO-1' });
  }

  test('sets aside all lines of an order and says so', async () => {
    await stocked('NW-01', 39);
    await stocked('NW-02', 20);
    const orderId = uuidv7();

    await inventory.hears(OrderPlaced({ orderId, lines: [{ sku: 'NW-01', quantity: 5 }, { sku: 'NW-02', quantity: 4 }] }));

    expect((await inventory.said()).at(-1)).toEqual(StockReserved({ orderId }));
    expect((await inventory.get('/v1/stock/NW-01')).body).toMatchObject({ onHand: 39, reserved: 5, available: 34 });
    expect((await inventory.get('/v1/stock/NW-02')).body).toMatchObject({ onHand: 20, reserved: 4, available: 16 });
  });
});
