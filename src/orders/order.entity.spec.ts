import * as fc from 'fast-check';
import { AMOUNT_MAX } from '../common/values/money.js';
import { Order, type OrderDraft } from './order.entity.js';
import type { PricedLine } from './order-line.entity.js';
import { mayBecome } from './order-status.js';
import { MixedCurrencies, TotalTooLarge, WrongTransition } from './orders.errors.js';

const now = new Date('2026-11-23T08:00:00Z');
const customer = { name: 'Paul Henriot', email: 'paul@customer.example' };
const shippingAddress = { name: 'Vins et alcools', street: "59 rue de l'Abbaye", city: 'Reims', country: 'France' };

const aLine = (change: Partial<PricedLine> = {}): PricedLine => ({
  sku: 'NW-11',
  name: 'Queso Cabrales',
  quantity: 12,
  unitPrice: { amount: 1_400, currency: 'USD' },
  ...change,
});

const place = (change: Partial<OrderDraft> = {}) =>
  Order.place({ customer, shippingAddress, lines: [aLine()], ...change }, now);

const priced = (amount: number, quantity = 1) => aLine({ quantity, unitPrice: { amount, currency: 'USD' } });

describe('an order', () => {
  test('is placed at the given time with version 1', () => {
    const order = place({ reference: '10248' });

    expect(order).toMatchObject({ status: 'placed', version: 1, placedAt: now, reference: '10248' });
    expect(order).toMatchObject({ customer, shippingAddress, rejection: null, cancellation: null, shipment: null });
    expect(place()).toMatchObject({ reference: null });
  });

  test('has a unique id, which is greater for a later order', () => {
    const ids = Array.from({ length: 100 }, () => place().id);

    expect(ids).toEqual([...new Set(ids)].sort());
  });

  test.each<[string, PricedLine[], number]>([
    ['one line', [priced(1_400, 12)], 16_800],
    ['several lines', [priced(1_400, 12), priced(980, 10), priced(3_480, 5)], 44_000],
    ['several lines of one product', [priced(1_400, 2), priced(1_400, 3)], 7_000],
    ['something for free', [priced(0, 1_000_000)], 0],
    ['the maximum amount', [priced(AMOUNT_MAX - 1), priced(1)], AMOUNT_MAX],
  ])('of %s costs the sum of its lines', (_what, lines, amount) => {
    const order = place({ lines });

    expect(order.total).toEqual({ amount, currency: 'USD' });
    expect(order.lines.reduce((sum, { lineAmount }) => sum + lineAmount, 0)).toBe(amount);
  });

  test('numbers its lines in the given sequence', () => {
    const order = place({ lines: [aLine({ sku: 'B' }), aLine({ sku: 'A' }), aLine({ sku: 'B' })] });

    expect(order.lines.map(({ orderId, number, sku }) => ({ orderId, number, sku }))).toEqual([
      { orderId: order.id, number: 1, sku: 'B' },
      { orderId: order.id, number: 2, sku: 'A' },
      { orderId: order.id, number: 3, sku: 'B' },
    ]);
  });

  test.each<[string, PricedLine[]]>([
    ['one minor unit more than the maximum', [priced(AMOUNT_MAX), priced(1)]],
    ['a line above the maximum', [priced(AMOUNT_MAX, 2)]],
    ['the largest possible request', Array.from({ length: 200 }, () => priced(AMOUNT_MAX, 1_000_000))],
  ])('of %s is too large', (_what, lines) => {
    expect(() => place({ lines })).toThrow(TotalTooLarge);
  });

  test('costs exactly the sum of its lines, or is too large, for any lines', () => {
    const amount = fc.oneof(fc.nat(100_000), fc.integer({ min: AMOUNT_MAX / 3, max: AMOUNT_MAX }));
    const quantity = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 1_000_000 }));
    const lines = fc.array(fc.record({ amount, quantity }), { minLength: 1, maxLength: 200 });

    fc.assert(
      fc.property(lines, (wanted) => {
        const exact = wanted.reduce((sum, line) => sum + BigInt(line.amount) * BigInt(line.quantity), 0n);
        const order = () => place({ lines: wanted.map((line) => priced(line.amount, line.quantity)) });

        if (exact > BigInt(AMOUNT_MAX)) expect(order).toThrow(TotalTooLarge);
        else expect(BigInt(order().totalAmount)).toBe(exact);
      }),
    );
  });

  test('in two currencies is refused with an error that names both', () => {
    const euros = aLine({ unitPrice: { amount: 1, currency: 'EUR' } });

    expect(() => place({ lines: [aLine(), euros, aLine()] })).toThrow(MixedCurrencies);
    expect(() => place({ lines: [aLine(), euros, aLine()] })).toThrow('USD and EUR');
  });
});

describe('each change of an order', () => {
  const rejection = { reason: 'out-of-stock', lines: [{ sku: 'NW-11', requested: 12, available: 3 }] };
  const shipment = { carrier: 'Speedy Express', trackingNumber: 'SE-1' };
  const changes = {
    confirm: (order: Order) => order.confirm(),
    reject: (order: Order) => order.reject(rejection),
    cancel: (order: Order) => order.cancel('ordered twice'),
    ship: (order: Order) => order.ship(shipment),
    deliver: (order: Order) => order.deliver(),
  };
  type Change = keyof typeof changes;

  /** A placed order after these changes. */
  const after = (...names: Change[]) => {
    const order = place();
    for (const name of names) changes[name](order);
    return order;
  };

  test.each<[Change[], object]>([
    [['confirm'], { status: 'confirmed', version: 2 }],
    [['reject'], { status: 'rejected', version: 2, rejection }],
    [['cancel'], { status: 'cancelled', version: 2, cancellation: { reason: 'ordered twice' } }],
    [['confirm', 'cancel'], { status: 'cancelled', version: 3, cancellation: { reason: 'ordered twice' } }],
    [['confirm', 'ship'], { status: 'shipped', version: 3, shipment }],
    [['confirm', 'ship', 'deliver'], { status: 'delivered', version: 4, shipment }],
  ])('increases the version by one and stores its data: %j', (names, expected) => {
    expect(after(...names)).toMatchObject(expected);
  });

  test.each<[Change[], Change]>([
    [[], 'ship'],
    [[], 'deliver'],
    [['confirm'], 'confirm'],
    [['confirm'], 'reject'],
    [['confirm'], 'deliver'],
    [['reject'], 'confirm'],
    [['reject'], 'cancel'],
    [['cancel'], 'cancel'],
    [['cancel'], 'confirm'],
    [['confirm', 'ship'], 'cancel'],
    [['confirm', 'ship'], 'ship'],
    [['confirm', 'ship', 'deliver'], 'cancel'],
    [['confirm', 'ship', 'deliver'], 'deliver'],
  ])('follows the transitions: after %j, %s is refused and changes nothing', (names, wrong) => {
    const order = after(...names);
    const before = structuredClone(order);

    expect(() => changes[wrong](order)).toThrow(WrongTransition);

    expect(structuredClone(order)).toEqual(before);
  });

  test('follows the transitions and increases the version, for any sequence of calls', () => {
    const isDone = (name: Change, order: Order) => {
      try {
        changes[name](order);
        return true;
      } catch {
        return false;
      }
    };
    const names = fc.array(fc.constantFrom(...(Object.keys(changes) as Change[])), { maxLength: 12 });

    fc.assert(
      fc.property(names, (tried) => {
        const order = place();
        for (const name of tried) {
          const { status, version } = order;
          const done = isDone(name, order);

          expect(order.version).toBe(done ? version + 1 : version);
          expect(done ? mayBecome(status, order.status) : order.status === status).toBe(true);
        }
      }),
    );
  });
});
