import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { violationsOf } from '../support/invariants.js';
import { journey, QUEUES } from '../support/journey.js';

const EXAMPLE = 'examples/northwind';

test.concurrent.each(QUEUES)(
  "the outcome of Northwind's orders equals the computed one, each is e-mailed once, and all invariants hold, with queues on %s",
  (queue) =>
    journey(async (stage) => {
      const shop = await stage.shop();

      const first = await northwind('--json', shop.url);
      const second = await northwind(shop.url);

      const { seconds: _, ...outcome } = JSON.parse(first.output);
      expect(outcome).toEqual(expectedOutcome());
      expect(await violationsOf(shop, stage)).toEqual({});
      expect(second.code).toBe(1);
      expect(second.output).toContain('already contains Northwind: order 10248 exists');
    }, queue),
);

test('without a running shop, Northwind explains how to start one', async () => {
  expect(await northwind('http://127.0.0.1:1')).toEqual({ code: 1, output: expect.stringContaining('npm start') });
});

function northwind(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [`${EXAMPLE}/run.mjs`, ...args], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), output: stdout || stderr }),
    );
  });
}

interface Product {
  readonly sku: string;
  readonly name: string;
  readonly unitsInStock: number;
  readonly reorderLevel: number;
}

interface Order {
  readonly number: number;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
}

/** Computes the expected outcome: orders get stock in sequence, complete or not at all. */
function expectedOutcome() {
  const products = read<Product>('products');
  const levels = new Map(
    products.map(({ sku, unitsInStock, reorderLevel }) => [
      sku,
      { onHand: unitsInStock * 10, available: unitsInStock * 10, reorderLevel },
    ]),
  );
  const rejected: string[] = [];
  let ranLow = 0;
  const orders = read<Order>('orders').toSorted((one, other) => one.number - other.number);
  for (const { number, lines } of orders) {
    const wanted = lines.flatMap(({ sku, quantity }) => {
      const level = levels.get(sku);
      return level ? [{ level, quantity }] : [];
    });
    if (wanted.some(({ level, quantity }) => level.available < quantity)) rejected.push(String(number));
    else
      for (const { level, quantity } of wanted) {
        const wasLow = level.available <= level.reorderLevel;
        level.available -= quantity;
        if (!wasLow && level.available <= level.reorderLevel) ranLow += 1;
      }
  }
  const confirmed = orders.length - rejected.length;
  return {
    orders: { confirmed, rejected: rejected.length },
    rejected,
    stock: products.map(({ sku, name }) => {
      const { onHand = 0, available = 0 } = levels.get(sku) ?? {};
      return { sku, name, onHand, reserved: onHand - available };
    }),
    mails: { 'order-confirmed': confirmed, 'order-rejected': rejected.length, 'stock-ran-low': ranLow },
  };
}

function read<Item>(file: string): Item[] {
  const lines = readFileSync(`${EXAMPLE}/data/${file}.ndjson`, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}
