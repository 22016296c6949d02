import * as fc from 'fast-check';
import { anOrder } from '../support/words.js';
import type { Loss } from './boundary.js';
import type { Death } from './lives.js';
import type { Change, Line, Model, PlaceRequest } from './model.js';
import { type Answer, type ModelShop, OPENING } from './shop.js';
import { answers, number, pick, type Step, same, step } from './step.js';

type Fate = 'well' | Loss | Extract<Death, 'before-commit' | 'after-commit' | 'after-enqueue'>;

interface Request {
  readonly path: string;
  readonly body: object;
  readonly headers?: Record<string, string>;
}

const sku = fc.constantFrom(...Object.keys(OPENING));
const line = fc.record({ sku, quantity: fc.constantFrom(1, 1, 1, 2, 3) });
const lines = fc.array(line, { minLength: 1, maxLength: 3 });
const fate = fc.oneof(
  { weight: 10, arbitrary: fc.constant<Fate>('well') },
  { weight: 3, arbitrary: fc.constantFrom<Fate>('before-commit', 'after-commit', 'after-enqueue') },
  { weight: 1, arbitrary: fc.constantFrom<Fate>('commit-lost', 'answer-lost') },
);

const SHIPMENT = { carrier: 'Speedy Express', trackingNumber: 'SE-1' };
const BODIES: Readonly<Record<Change, object>> = {
  cancellation: { reason: 'plans' },
  shipment: SHIPMENT,
  delivery: {},
};

const hasOrders = ({ orders }: Readonly<Model>): boolean => orders.size > 0;

const place = fc.tuple(lines, fate).map(([lines, fate]) =>
  step(`place ${wordsFor(lines)}${but(fate)}`, async (model, shop) => {
    const number = model.requests.length + 1;
    const request: PlaceRequest = { key: `key-${number}`, reference: `order-${number}`, lines };
    model.requests.push(request);
    const answer = await tell(shop, placing(request), fate, () => model.place(request.reference, lines));
    if (answer?.status === 201) request.answer = answer.body;
  }),
);

const repeat = number.map((number) =>
  step(
    'repeat a request',
    async (model, shop) => {
      const references = model.requests.map(({ reference }) => reference);
      const request = model.requestFor(pick(model, references, number));
      const isDone = model.orders.has(request.reference);
      const answer = await tell(shop, placing(request), 'well', () =>
        isDone ? 201 : model.place(request.reference, request.lines),
      );
      same(answer?.headers['idempotent-replayed'], isDone ? 'true' : undefined);
      if (answer?.status !== 201) return;
      request.answer ??= answer.body as object;
      same(answer.body, request.answer);
    },
    ({ requests }) => requests.length > 0,
  ),
);

const reuseKey = number.map((number) =>
  step(
    'use the key of an order for another request',
    async (model, shop) => {
      const request = model.requestFor(pick(model, [...model.orders.keys()], number));
      await tell(
        shop,
        placing({ ...request, lines: [...request.lines, { sku: 'TEA', quantity: 1 }] }),
        'well',
        () => 422,
      );
    },
    hasOrders,
  ),
);

const change = (change: Change): fc.Arbitrary<Step> =>
  fc.tuple(number, fate).map(([number, fate]) =>
    step(
      `${change} of an order${but(fate)}`,
      async (model, shop) => {
        const reference = pick(model, [...model.orders.keys()], number);
        const request = { path: `orders/${await shop.idOf(reference)}/${change}`, body: BODIES[change] };
        await tell(shop, request, fate, () => model.change(reference, change));
      },
      hasOrders,
    ),
  );

const receive = fc.tuple(sku, fc.integer({ min: 1, max: 4 }), fate).map(([sku, quantity, fate]) =>
  step(`receive ${quantity} ${sku}${but(fate)}`, async (model, shop) => {
    const request = { path: `stock/${sku}/receipts`, body: { quantity, reference: 'PO-1' } };
    await tell(shop, request, fate, () => model.book(sku, quantity));
  }),
);

const adjust = fc.tuple(sku, fc.constantFrom(1, -1, -2, -5), fate).map(([sku, change, fate]) =>
  step(`adjust ${sku} by ${change}${but(fate)}`, async (model, shop) => {
    const request = { path: `stock/${sku}/adjustments`, body: { change, reason: 'counted' } };
    await tell(shop, request, fate, () => model.book(sku, change));
  }),
);

const discontinue = sku.map((sku) =>
  step(`discontinue ${sku}`, async (model, shop) => {
    await tell(shop, { path: `products/${sku}/discontinuation`, body: {} }, 'well', () => model.discontinue(sku));
  }),
);

/** What customers and the warehouse do. */
export const shopSteps: readonly fc.Arbitrary<Step>[] = [
  place,
  place,
  place,
  repeat,
  reuseKey,
  change('cancellation'),
  change('cancellation'),
  change('shipment'),
  change('delivery'),
  receive,
  adjust,
  discontinue,
];

/** Sends a request to the shop and, unless its work was lost, to the model as well. */
async function tell(
  shop: ModelShop,
  { path, body, headers }: Request,
  fate: Fate,
  expected: () => number,
): Promise<Answer | undefined> {
  const isLoss = fate === 'commit-lost' || fate === 'answer-lost';
  shop.boundary.loss = isLoss ? fate : undefined;
  const answer = await shop.post(path, body, headers, isLoss || fate === 'well' ? undefined : fate);
  shop.boundary.loss = undefined;
  const isLost = (fate === 'before-commit' && !answer) || (fate === 'commit-lost' && answer?.status === 503);
  if (isLost) return answer;
  const status = expected();
  if (answer) answers(answer, { status });
  return answer;
}

function placing({ key, reference, lines }: PlaceRequest): Request {
  return { path: 'orders', body: { ...anOrder(lines), reference }, headers: { 'idempotency-key': key } };
}

function wordsFor(lines: readonly Line[]): string {
  return lines.map(({ sku, quantity }) => `${quantity} ${sku}`).join(' + ');
}

function but(fate: Fate): string {
  return fate === 'well' ? '' : ` (${fate})`;
}
