import * as fc from 'fast-check';
import { anOrder } from '../support/words.js';
import type { Loss } from './boundary.js';
import type { Change, Line, Model, PlaceRequest } from './model.js';
import { type Answer, type ModelShop, OPENING } from './shop.js';
import type { DeathPoint } from './simulated-process.js';
import { expectAnswer, expectSame, number, pick, type Step, step } from './step.js';

type Ending = 'succeeds' | Loss | Extract<DeathPoint, 'before-commit' | 'after-commit' | 'after-enqueue'>;

interface Request {
  readonly path: string;
  readonly body: object;
  readonly headers?: Record<string, string>;
}

const sku = fc.constantFrom(...Object.keys(OPENING));
const line = fc.record({ sku, quantity: fc.constantFrom(1, 1, 1, 2, 3) });
const lines = fc.array(line, { minLength: 1, maxLength: 3 });
const ending = fc.oneof(
  { weight: 10, arbitrary: fc.constant<Ending>('succeeds') },
  { weight: 3, arbitrary: fc.constantFrom<Ending>('before-commit', 'after-commit', 'after-enqueue') },
  { weight: 1, arbitrary: fc.constantFrom<Ending>('commit-lost', 'answer-lost') },
);

const SHIPMENT = { carrier: 'Speedy Express', trackingNumber: 'SE-1' };
const BODIES: Readonly<Record<Change, object>> = {
  cancellation: { reason: 'plans' },
  shipment: SHIPMENT,
  delivery: {},
};

const hasOrders = ({ orders }: Readonly<Model>): boolean => orders.size > 0;

const place = fc.tuple(lines, ending).map(([lines, ending]) =>
  step(`place ${wordsFor(lines)}${suffixOf(ending)}`, async (model, shop) => {
    const number = model.requests.length + 1;
    const request: PlaceRequest = { key: `key-${number}`, reference: `order-${number}`, lines };
    model.requests.push(request);
    const answer = await send(shop, placing(request), ending, () => model.place(request.reference, lines));
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
      const answer = await send(shop, placing(request), 'succeeds', () =>
        isDone ? 201 : model.place(request.reference, request.lines),
      );
      expectSame(answer?.headers['idempotent-replayed'], isDone ? 'true' : undefined);
      if (answer?.status !== 201) return;
      request.answer ??= answer.body as object;
      expectSame(answer.body, request.answer);
    },
    ({ requests }) => requests.length > 0,
  ),
);

const reuseKey = number.map((number) =>
  step(
    'use the key of an order for another request',
    async (model, shop) => {
      const request = model.requestFor(pick(model, [...model.orders.keys()], number));
      await send(
        shop,
        placing({ ...request, lines: [...request.lines, { sku: 'TEA', quantity: 1 }] }),
        'succeeds',
        () => 422,
      );
    },
    hasOrders,
  ),
);

const change = (change: Change): fc.Arbitrary<Step> =>
  fc.tuple(number, ending).map(([number, ending]) =>
    step(
      `${change} of an order${suffixOf(ending)}`,
      async (model, shop) => {
        const reference = pick(model, [...model.orders.keys()], number);
        const request = { path: `orders/${await shop.idOf(reference)}/${change}`, body: BODIES[change] };
        await send(shop, request, ending, () => model.change(reference, change));
      },
      hasOrders,
    ),
  );

const receive = fc.tuple(sku, fc.integer({ min: 1, max: 4 }), ending).map(([sku, quantity, ending]) =>
  step(`receive ${quantity} ${sku}${suffixOf(ending)}`, async (model, shop) => {
    const request = { path: `stock/${sku}/receipts`, body: { quantity, reference: 'PO-1' } };
    await send(shop, request, ending, () => model.book(sku, quantity));
  }),
);

const adjust = fc.tuple(sku, fc.constantFrom(1, -1, -2, -5), ending).map(([sku, change, ending]) =>
  step(`adjust ${sku} by ${change}${suffixOf(ending)}`, async (model, shop) => {
    const request = { path: `stock/${sku}/adjustments`, body: { change, reason: 'counted' } };
    await send(shop, request, ending, () => model.book(sku, change));
  }),
);

const discontinue = sku.map((sku) =>
  step(`discontinue ${sku}`, async (model, shop) => {
    await send(shop, { path: `products/${sku}/discontinuation`, body: {} }, 'succeeds', () => model.discontinue(sku));
  }),
);

/** Steps of customers and of the warehouse. */
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

/** Sends a request to the shop and, unless its transaction was lost, applies it to the model. */
async function send(
  shop: ModelShop,
  { path, body, headers }: Request,
  ending: Ending,
  expected: () => number,
): Promise<Answer | undefined> {
  const isLoss = ending === 'commit-lost' || ending === 'answer-lost';
  shop.boundary.loss = isLoss ? ending : undefined;
  const answer = await shop.post(path, body, headers, isLoss || ending === 'succeeds' ? undefined : ending);
  shop.boundary.loss = undefined;
  const isLost = (ending === 'before-commit' && !answer) || (ending === 'commit-lost' && answer?.status === 503);
  if (isLost) return answer;
  const status = expected();
  if (answer) expectAnswer(answer, { status });
  return answer;
}

function placing({ key, reference, lines }: PlaceRequest): Request {
  return { path: 'orders', body: { ...anOrder(lines), reference }, headers: { 'idempotency-key': key } };
}

function wordsFor(lines: readonly Line[]): string {
  return lines.map(({ sku, quantity }) => `${quantity} ${sku}`).join(' + ');
}

function suffixOf(ending: Ending): string {
  return ending === 'succeeds' ? '' : ` (${ending})`;
}
