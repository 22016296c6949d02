/** What a first start puts on sale, so that there is something to order. */
const CATALOGUE = [
  { sku: 'DEMO-TEA', name: 'Darjeeling first flush, 100 g', category: 'Tea', cents: 1450, onHand: 120, reorderLevel: 20 },
  { sku: 'DEMO-COFFEE', name: 'Espresso beans, 1 kg', category: 'Coffee', cents: 2190, onHand: 80, reorderLevel: 15 },
  { sku: 'DEMO-CUP', name: 'Porcelain cup', category: 'Tableware', cents: 990, onHand: 200, reorderLevel: 30 },
  { sku: 'DEMO-POT', name: 'Cast iron teapot', category: 'Tableware', cents: 6400, onHand: 12, reorderLevel: 10 },
  { sku: 'DEMO-LAST', name: 'The last biscuit', category: 'Biscuits', cents: 150, onHand: 1, reorderLevel: 0 },
];

interface ProductList {
  readonly items: readonly { readonly sku: string; readonly stock: { readonly available: number } }[];
}

/** Lists the demo catalogue through the API of a running shop that has no products yet. */
export async function loadDemoCatalogue(url: string): Promise<void> {
  if ((await products(url, 1)).length > 0) return;
  const lines = CATALOGUE.map(({ cents, ...product }) => ({ ...product, unitPrice: { amount: cents, currency: 'USD' } }));
  const response = await fetch(`${url}/v1/products/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
  });
  if (!response.ok) throw new Error(`The demo catalogue was refused: ${await response.text()}`);
}

/** A product that can be ordered right now, if there is one. */
export async function orderableSku(url: string): Promise<string | undefined> {
  return (await products(url, 200)).findLast(({ stock }) => stock.available > 1)?.sku;
}

async function products(url: string, limit: number): Promise<ProductList['items']> {
  const response = await fetch(`${url}/v1/products?status=active&limit=${limit}`);
  if (response.status === 404) return [];
  if (!response.ok) throw new Error(`The products could not be read: ${await response.text()}`);
  const list = (await response.json()) as ProductList;
  return list.items;
}
