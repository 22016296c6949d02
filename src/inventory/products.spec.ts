import type { Fact } from '../backbone/domain-event.js';
import { encodeCursor } from '../common/http/pagination.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import { ProductDiscontinued, ProductListed, ProductRenamed, ProductRepriced } from './inventory.events.js';
import { InventoryModule } from './inventory.module.js';

let stage: ModuleStage;

beforeAll(async () => {
  stage = await ModuleStage.of(InventoryModule);
});

afterAll(() => stage.close());

const usd = (amount: number) => ({ amount, currency: 'USD' });
const chai = { name: 'Chai', category: 'Beverages', unitPrice: usd(1_800), reorderLevel: 10 };
const put = (sku: string, change: object = {}) => stage.put(`/v1/products/${sku}`, { ...chai, ...change });

const eventsOf = (sku: string) => stage.published(`product/${sku}`);

const listed = (sku: string) => ProductListed({ sku, name: chai.name, unitPrice: chai.unitPrice });

describe('a product that is put', () => {
  test('for the first time is new, active, out of stock, and listed', async () => {
    const answer = await put('NW-1');

    expect(answer.status).toBe(201);
    expect(answer.headers.location).toBe('/v1/products/NW-1');
    expect(answer.body).toEqual({
      sku: 'NW-1',
      ...chai,
      status: 'active',
      stock: { onHand: 0, reserved: 0, available: 0 },
    });
    expect((await stage.get('/v1/products/NW-1')).body).toEqual(answer.body);
    expect(await eventsOf('NW-1')).toEqual([listed('NW-1')]);
  });

  test('again without a change publishes nothing', async () => {
    await put('SAME');

    const answer = await put('SAME');

    expect(answer).toMatchObject({ status: 200, body: chai });
    expect(answer.headers.location).toBeUndefined();
    expect(await eventsOf('SAME')).toEqual([listed('SAME')]);
  });

  test.each<[string, object, (sku: string) => Fact[]]>([
    ['another price', { unitPrice: usd(1_950) }, (sku) => [ProductRepriced({ sku, unitPrice: usd(1_950) })]],
    [
      'the same amount of another currency',
      { unitPrice: { amount: 1_800, currency: 'EUR' } },
      (sku) => [ProductRepriced({ sku, unitPrice: { amount: 1_800, currency: 'EUR' } })],
    ],
    ['another name', { name: 'Masala Chai' }, (sku) => [ProductRenamed({ sku, name: 'Masala Chai' })]],
    [
      'another name and price',
      { name: 'Chai Latte', unitPrice: usd(0) },
      (sku) => [ProductRenamed({ sku, name: 'Chai Latte' }), ProductRepriced({ sku, unitPrice: usd(0) })],
    ],
    ['another category, which publishes nothing', { category: 'Tea' }, () => []],
    ['another reorder level, which publishes nothing while stock stays low', { reorderLevel: 99 }, () => []],
  ])('with %s is changed, which is published once', async (name, change, news) => {
    const sku = name.replaceAll(/\W+/g, '-').slice(0, 40);
    await put(sku);

    const answers = [await put(sku, change), await put(sku, change)];

    for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: { sku, ...chai, ...change } });
    expect((await stage.get(`/v1/products/${sku}`)).body).toMatchObject(change);
    expect(await eventsOf(sku)).toEqual([listed(sku), ...news(sku)]);
  });

  test('has its name trimmed and stored unchanged, even if it looks like SQL or HTML', async () => {
    const hostile = `Robert'); DROP TABLE product;-- <b>"ä"</b> 😀`;

    await put('HOSTILE', { name: `  ${hostile} ` });

    expect((await stage.get('/v1/products/HOSTILE')).body.name).toBe(hostile);
  });

  test('by many requests at once is listed once', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => put('RACE')));

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(9);
    expect(await eventsOf('RACE')).toEqual([listed('RACE')]);
  });

  test('with many prices at once has the price of the last event', async () => {
    await put('AUCTION');

    await Promise.all(Array.from({ length: 10 }, (_, bid) => put('AUCTION', { unitPrice: usd(2_000 + bid) })));

    const events = await eventsOf('AUCTION');
    expect(events).toHaveLength(11);
    expect(events.at(-1)?.data).toMatchObject({
      unitPrice: (await stage.get('/v1/products/AUCTION')).body.unitPrice,
    });
  });

  test.each<[string, object, string]>([
    ['an unknown field', { colour: 'red' }, 'colour'],
    ['a status of its own', { status: 'active' }, 'status'],
    ['a SKU in its body', { sku: 'OTHER' }, 'sku'],
    ['no name', { name: undefined }, 'name'],
    ['a blank name', { name: ' ' }, 'name'],
    ['a name that is too long', { name: 'x'.repeat(10_000) }, 'name'],
    ['a NUL in its name', { name: 'Ch\0ai' }, 'name'],
    ['half a surrogate pair in its name', { name: 'Chai \ud83d' }, 'name'],
    ['a name of another type', { name: 5 }, 'name'],
    ['a negative price', { unitPrice: usd(-1) }, 'unitPrice'],
    ['a price in fractions of a cent', { unitPrice: usd(18.5) }, 'unitPrice.amount'],
    ['a price above the maximum', { unitPrice: usd(9_000_000_000_000_001) }, 'unitPrice.amount'],
    ['a price without a currency', { unitPrice: { amount: 1_800 } }, 'unitPrice.currency'],
    ['a malformed currency', { unitPrice: { amount: 1_800, currency: 'usd' } }, 'unitPrice.currency'],
    ['a negative reorder level', { reorderLevel: -1 }, 'reorderLevel'],
    ['a fractional reorder level', { reorderLevel: 1.5 }, 'reorderLevel'],
    ['a reorder level above the maximum', { reorderLevel: 1e10 }, 'reorderLevel'],
  ])('with %s is refused and not stored', async (_, change, path) => {
    const answer = await put('REFUSED', change);

    expect(answer).toMatchObject({ status: 400, body: { code: 'request-invalid', errors: [{ path }] } });
    expect(await stage.get('/v1/products/REFUSED')).toMatchObject({ status: 404, body: { code: 'product-not-found' } });
    expect(await eventsOf('REFUSED')).toEqual([]);
  });

  test.each(['-x', 'a%20b', 'ä', 'x'.repeat(65), '%00', "'", '..%2Fa'])('under the SKU %s is refused', async (sku) => {
    expect(await put(sku)).toMatchObject({ status: 400, body: { code: 'request-invalid', errors: [{ path: 'sku' }] } });
  });
});

describe('a product that is discontinued', () => {
  test('has its new status, which is published once', async () => {
    await put('OLD');

    const answers = [
      await stage.post('/v1/products/OLD/discontinuation'),
      await stage.post('/v1/products/OLD/discontinuation'),
    ];

    for (const answer of answers)
      expect(answer).toMatchObject({ status: 200, body: { sku: 'OLD', ...chai, status: 'discontinued' } });
    expect(await eventsOf('OLD')).toEqual([listed('OLD'), ProductDiscontinued({ sku: 'OLD' })]);
  });

  test('by many requests at once is discontinued once', async () => {
    await put('GONE');

    await Promise.all(Array.from({ length: 5 }, () => stage.post('/v1/products/GONE/discontinuation')));

    expect(await eventsOf('GONE')).toHaveLength(2);
  });

  test('stays discontinued when it is put again, and its other fields may change', async () => {
    await put('RETRO');
    await stage.post('/v1/products/RETRO/discontinuation');

    const answer = await put('RETRO', { unitPrice: usd(2_000) });

    expect(answer).toMatchObject({ status: 200, body: { status: 'discontinued', unitPrice: usd(2_000) } });
  });

  test('must exist', async () => {
    expect(await stage.post('/v1/products/UNICORN/discontinuation')).toMatchObject({
      status: 404,
      body: { code: 'product-not-found', detail: 'There is no product UNICORN.' },
    });
  });
});

describe('the catalogue', () => {
  const find = async (query: string) => {
    const { status, body } = await stage.get(`/v1/products?${query}`);
    expect(status).toBe(200);
    return body.items.map(({ sku }: { sku: string }) => sku);
  };

  beforeAll(async () => {
    await put('CAT-1', { name: '100% Arabica', category: 'Coffee' });
    await put('CAT-2', { name: 'Röd Kaviar', category: 'Seafood' });
    await put('cat_3', { name: 'Arabian Nights', category: 'Coffee' });
    await stage.post('/v1/products/cat_3/discontinuation');
  });

  test.each<[string, string[]]>([
    ['search=cat-', ['CAT-2', 'CAT-1']],
    ['search=ARAB', ['cat_3', 'CAT-1']],
    ['search=r%C3%B6d', ['CAT-2']],
    ['search=R%C3%96D', ['CAT-2']],
    ['search=100%25', ['CAT-1']],
    ['search=t_3', ['cat_3']],
    ['search=%25', ['CAT-1']],
    ['search=%5C', []],
    ["search='%20OR%20true--", []],
    ['category=Coffee', ['cat_3', 'CAT-1']],
    ['category=coffee', []],
    ['category=Coffee&status=active', ['CAT-1']],
    ['status=discontinued&search=cat_', ['cat_3']],
    ['category=Seafood&search=arab', []],
  ])('finds by %s', async (query, skus) => expect(await find(query)).toEqual(skus));

  test.each(['status=sold', 'colour=red', 'limit=0', 'limit=201', 'limit=many', 'search=', 'search=%00', 'category='])(
    'refuses ?%s',
    async (query) => {
      expect(await stage.get(`/v1/products?${query}`)).toMatchObject({
        status: 400,
        body: { code: 'request-invalid' },
      });
    },
  );

  test('is read page by page, newest first, without a gap or a repetition while products are added', async () => {
    const skus = Array.from({ length: 7 }, (_, nr) => `PAGE-${nr}`);
    for (const sku of skus) await put(sku, { category: 'Pages' });
    const seen: string[] = [];

    for (let cursor: string | null = ''; cursor !== null; ) {
      const from: string = cursor && `&cursor=${cursor}`;
      const { body } = await stage.get(`/v1/products?category=Pages&limit=3${from}`);
      seen.push(...body.items.map(({ sku }: { sku: string }) => sku));
      cursor = body.nextCursor;
      await put(`LATE-${seen.length}`, { category: 'Pages' });
    }

    expect(seen).toEqual([...skus].reverse());
  });

  test('shows the stock of each product', async () => {
    await put('STOCKED', { category: 'Stocked' });
    await stage.post('/v1/stock/STOCKED/receipts', { quantity: 39, reference: 'PO-1' });

    const { body } = await stage.get('/v1/products?category=Stocked');

    expect(body).toEqual({ items: [(await stage.get('/v1/products/STOCKED')).body], nextCursor: null });
    expect(body.items[0].stock).toEqual({ onHand: 39, reserved: 0, available: 39 });
  });

  test.each(['x', '', encodeCursor([1]), encodeCursor(['CAT-1']), encodeCursor([])])(
    'refuses the cursor %j',
    async (cursor) => {
      expect(await stage.get(`/v1/products?cursor=${cursor}`)).toMatchObject({
        status: 400,
        body: { code: 'cursor-invalid' },
      });
    },
  );
});

test.each(['/v1/products/UNICORN', '/v1/products/import'])('there is no product at %s', async (path) => {
  expect(await stage.get(path)).toMatchObject({ status: 404, body: { code: 'product-not-found' } });
});

test('a request with a content type and no body discontinues a product, because many clients send it so', async () => {
  await put('NO-BODY');

  const answer = await stage.app.inject({
    method: 'POST',
    url: '/v1/products/NO-BODY/discontinuation',
    headers: { 'content-type': 'application/json' },
  });

  expect([answer.statusCode, answer.json().status]).toEqual([200, 'discontinued']);
});
