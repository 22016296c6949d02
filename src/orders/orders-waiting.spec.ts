import { Overloaded } from '../common/database/connection-limiter.js';
import { Database } from '../common/database/database.js';
import { ProductListed, StockReserved } from '../inventory/inventory.events.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import { OrdersModule } from './orders.module.js';

let orders: ModuleStage;

beforeAll(async () => {
  orders = await ModuleStage.of(OrdersModule);
  await orders.receive(ProductListed({ sku: 'TEA', name: 'Tea', unitPrice: { amount: 1450, currency: 'USD' } }));
});

afterAll(() => orders.close());

const place = (prefer?: string) =>
  orders.post(
    '/v1/orders',
    {
      customer: { name: 'Paul Henriot', email: 'paul@customer.example' },
      shippingAddress: { name: 'Vins et alcools', street: "59 rue de l'Abbaye", city: 'Reims', country: 'France' },
      lines: [{ sku: 'TEA', quantity: 1 }],
    },
    prefer === undefined ? {} : { prefer },
  );

/** Waits until a new order is stored, and returns its id. */
async function newest(known: readonly string[]): Promise<string> {
  const deadline = Date.now() + 5_000;
  while (Date.now() < deadline) {
    const rows = await orders.query<{ id: string }>('SELECT id FROM orders.order WHERE id <> ALL ($1)', [known]);
    if (rows[0]) return rows[0].id;
  }
  throw new Error('No order was stored');
}

test('a client that prefers to wait gets the confirmed order, although inventory answers later', async () => {
  const known = (await orders.query<{ id: string }>('SELECT id FROM orders.order')).map(({ id }) => id);
  const placing = place('wait=5');
  await orders.receive(StockReserved({ orderId: await newest(known) }));

  const { status, body, headers } = await placing;

  expect([status, body.status, headers['preference-applied']]).toEqual([201, 'confirmed', 'wait=5']);
});

test('a client gets the placed order when inventory does not answer in time', async () => {
  const { status, body, headers } = await place('wait=1');

  expect([status, body.status, headers['preference-applied']]).toEqual([201, 'placed', 'wait=1']);
});

test.each([
  ['is refused', new Overloaded()],
  ['loses its connection', new Error('Connection terminated unexpectedly')],
])('a client that waits gets the order, although reading it %s', async (_what, error) => {
  const reading = jest.spyOn(orders.app.get(Database), 'read').mockRejectedValue(error);
  const { status, body } = await place('wait=5').finally(() => reading.mockRestore());

  expect([status, body.status]).toEqual([201, 'placed']);
  expect((await orders.get(`/v1/orders/${body.id}`)).body.status).toBe('placed');
});

test('a client that does not prefer to wait gets the order at once', async () => {
  const { body, headers } = await place();

  expect(body.status).toBe('placed');
  expect(headers).not.toHaveProperty('preference-applied');
});
