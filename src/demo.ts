/** The products that the first start adds. */
const CATALOGUE = [
  {
    sku: 'DEMO-TEA',
    name: 'Darjeeling first flush, 100 g',
    category: 'Tea',
    cents: 1450,
    onHand: 120,
    reorderLevel: 20,
  },
  { sku: 'DEMO-COFFEE', name: 'Espresso beans, 1 kg', category: 'Coffee', cents: 2190, onHand: 80, reorderLevel: 15 },
  { sku: 'DEMO-CUP', name: 'Porcelain cup', category: 'Tableware', cents: 990, onHand: 200, reorderLevel: 30 },
  { sku: 'DEMO-POT', name: 'Cast iron teapot', category: 'Tableware', cents: 6400, onHand: 12, reorderLevel: 10 },
  { sku: 'DEMO-LAST', name: 'The last biscuit', category: 'Biscuits', cents: 150, onHand: 1, reorderLevel: 0 },
];

/** By reference, demo orders and the operations that use their ids as examples in Swagger UI. */
const ORDERS = new Map([
  ['DEMO-1', ['/v1/orders/{id}', '/v1/orders/{id}/timeline']],
  ['DEMO-2', ['/v1/orders/{id}/cancellation']],
  ['DEMO-3', ['/v1/orders/{id}/shipment']],
  ['DEMO-4', ['/v1/orders/{id}/delivery']],
]);

const DEMO_EMAIL = 'demo@orderly.example';

interface ListedItem {
  readonly id: string;
  readonly reference: string | null;
  readonly sku: string;
  readonly stock: { readonly available: number };
}

/** Adds products and orders through the API, unless there are products already. */
export async function loadDemo(url: string): Promise<void> {
  const products = await find(url, 'products?limit=1');
  if (!products || products.length > 0) return;
  const lines = CATALOGUE.map(({ cents, ...product }) => ({
    ...product,
    unitPrice: { amount: cents, currency: 'USD' },
  }));
  await post(url, 'products/import', lines.map((line) => JSON.stringify(line)).join('\n'), 'application/x-ndjson');
  for (const reference of ORDERS.keys())
    await post(url, 'orders', JSON.stringify({ ...orderOf('DEMO-CUP', DEMO_EMAIL), reference }));
  const toDeliver = (await pathExamples(url)).get('/v1/orders/{id}/delivery');
  const shipment = { carrier: 'Speedy Express', trackingNumber: 'SE-2048-16' };
  if (toDeliver) await post(url, `orders/${toDeliver}/shipment`, JSON.stringify(shipment));
}

/** The ids of the demo orders, by the path of the operation whose example they are. */
export async function pathExamples(url: string): Promise<Map<string, string>> {
  const orders = await find(url, `orders?email=${DEMO_EMAIL}`);
  const byPath = (orders ?? []).flatMap(({ id, reference }) =>
    (ORDERS.get(reference ?? '') ?? []).map((path) => [path, id] as const),
  );
  return new Map(byPath);
}

/** A product that can be ordered now, if there is one. */
export async function orderableSku(url: string): Promise<string | undefined> {
  return (await find(url, 'products?status=active&limit=200'))?.findLast(({ stock }) => stock.available > 1)?.sku;
}

/** The body of an example order. */
export function orderOf(sku: string, email: string) {
  return {
    customer: { name: 'Maria Anders', email },
    shippingAddress: { name: 'Maria Anders', street: 'Obere Str. 57', city: 'Berlin', country: 'Germany' },
    lines: [{ sku, quantity: 2 }],
  };
}

/** Returns undefined where the module of the path does not run in this process. */
async function find(url: string, path: string): Promise<readonly ListedItem[] | undefined> {
  const response = await fetch(`${url}/v1/${path}`);
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${path} could not be read: ${await response.text()}`);
  const { items } = (await response.json()) as { items: ListedItem[] };
  return items;
}

async function post(url: string, path: string, body: string, type = 'application/json'): Promise<void> {
  const response = await fetch(`${url}/v1/${path}`, { method: 'POST', headers: { 'content-type': type }, body });
  if (!response.ok) throw new Error(`The demo data was refused: ${await response.text()}`);
}
