import { ModelDeliveries } from './model-deliveries.js';
import { OPENING, REORDER_LEVEL } from './shop.js';
import type { Picture } from './sight.js';

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

interface Level {
  onHand: number;
  reserved: number;
  isSold: boolean;
}

type Status = 'confirmed' | 'rejected' | 'cancelled' | 'shipped' | 'delivered';

interface ModelOrder {
  readonly lines: readonly Line[];
  status: Status;
  version: number;
}

/** A request that its customer may send again, because no answer came or just like that. */
export interface PlaceRequest {
  readonly key: string;
  readonly reference: string;
  readonly lines: readonly Line[];
  /** The first that was heard. */
  answer?: object;
}

export type Change = 'cancellation' | 'shipment' | 'delivery';

/** From which state a change leads where, and what becomes of the stock. */
const CHANGES = {
  cancellation: { from: 'confirmed', to: 'cancelled', mail: 'emailCancellation' },
  shipment: { from: 'confirmed', to: 'shipped', mail: 'emailShipment' },
  delivery: { from: 'shipped', to: 'delivered', mail: 'emailDelivery' },
} as const;

/** The shop in a page: what has to be true of it after each command. Every method gives the status of the answer. */
export class Model {
  readonly stock = new Map(
    Object.entries(OPENING).map(([sku, onHand]) => [sku, { onHand, reserved: 0, isSold: true }]),
  );
  readonly orders = new Map<string, ModelOrder>();
  readonly deliveries = new ModelDeliveries();
  /** Every order that was ever asked for. */
  readonly requests: PlaceRequest[] = [];
  /** What has been done so far, for whoever has to find out what went wrong. */
  readonly story: string[] = [];

  place(reference: string, lines: readonly Line[]): number {
    if (lines.some(({ sku }) => !this.level(sku).isSold)) return 422;
    const wanted = sum(lines);
    const isEnough = wanted.every(({ sku, quantity }) => this.available(sku) >= quantity);
    this.orders.set(reference, { lines: wanted, status: isEnough ? 'confirmed' : 'rejected', version: 2 });
    if (isEnough) for (const line of wanted) this.reserve(line.sku, line.quantity);
    this.deliveries.owe(isEnough ? 'emailConfirmation' : 'emailRejection', reference);
    if (isEnough) this.deliveries.owe('countSale', reference);
    return 201;
  }

  requestFor(reference: string): PlaceRequest {
    const request = this.requests.find((each) => each.reference === reference);
    if (!request) throw new Error(`Nobody has asked for ${reference}`);
    return request;
  }

  change(reference: string, change: Change): number {
    const order = this.orders.get(reference);
    const { from, to, mail } = CHANGES[change];
    if (order?.status !== from) return order ? 409 : 404;
    Object.assign(order, { status: to, version: order.version + 1 });
    for (const { sku, quantity } of order.lines) {
      if (change === 'cancellation') this.reserve(sku, -quantity);
      if (change !== 'shipment') continue;
      this.level(sku).onHand -= quantity;
      this.level(sku).reserved -= quantity;
    }
    this.deliveries.owe(mail, reference);
    if (change === 'cancellation') this.deliveries.owe('takeBackSale', reference);
    return 200;
  }

  /** What comes in, and what a count finds. */
  book(sku: string, change: number): number {
    if (this.available(sku) + change < 0) return 409;
    this.watching(sku, (level) => {
      level.onHand += change;
    });
    return 201;
  }

  discontinue(sku: string): number {
    this.level(sku).isSold = false;
    return 200;
  }

  picture(): Picture {
    const orders = [...this.orders];
    const isHeld = { confirmed: 'held', cancelled: 'released', shipped: 'dispatched', delivered: 'dispatched' };
    return {
      stock: Object.fromEntries([...this.stock].map(([sku, level]) => [sku, wordsFor(level)])),
      orders: Object.fromEntries(orders.map(([reference, { status, version }]) => [reference, `${status} ${version}`])),
      reservations: Object.fromEntries(
        orders.flatMap(([reference, { lines, status }]) =>
          status === 'rejected'
            ? []
            : lines.map(({ sku, quantity }) => [`${reference} ${sku}`, `${quantity} ${isHeld[status]}`]),
        ),
      ),
      keys: orders.length,
      ...this.deliveries.picture(),
    };
  }

  private level(sku: string): Level {
    const level = this.stock.get(sku);
    if (!level) throw new Error(`There is no ${sku}`);
    return level;
  }

  private available(sku: string): number {
    const { onHand, reserved } = this.level(sku);
    return onHand - reserved;
  }

  private reserve(sku: string, quantity: number): void {
    this.watching(sku, (level) => {
      level.reserved += quantity;
    });
  }

  /** Operators hear of a product that runs low, once per crossing and while it is sold. */
  private watching(sku: string, change: (level: Level) => void): void {
    const wasLow = this.available(sku) <= REORDER_LEVEL;
    change(this.level(sku));
    const isLow = this.available(sku) <= REORDER_LEVEL;
    if (isLow && !wasLow && this.level(sku).isSold) this.deliveries.owe('emailLowStock', sku);
  }
}

function sum(lines: readonly Line[]): Line[] {
  const totals = new Map<string, number>();
  for (const { sku, quantity } of lines) totals.set(sku, (totals.get(sku) ?? 0) + quantity);
  return [...totals].map(([sku, quantity]) => ({ sku, quantity }));
}

function wordsFor({ onHand, reserved, isSold }: Level): string {
  return `${onHand}, ${reserved} reserved, ${isSold ? 'on sale' : 'gone'}`;
}
