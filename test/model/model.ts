import { ModelDeliveries } from './model-deliveries.js';
import { OPENING, REORDER_LEVEL } from './shop.js';
import type { ShopState } from './shop-state.js';

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

/** A request, which its customer may repeat. */
export interface PlaceRequest {
  readonly key: string;
  readonly reference: string;
  readonly lines: readonly Line[];
  /** The first answer that the customer received. */
  answer?: object;
}

export type Change = 'cancellation' | 'shipment' | 'delivery';

/** State transitions of an order, and the subscriber that sends the e-mail. */
const CHANGES = {
  cancellation: { from: 'confirmed', to: 'cancelled', mail: 'emailCancellation' },
  shipment: { from: 'confirmed', to: 'shipped', mail: 'emailShipment' },
  delivery: { from: 'shipped', to: 'delivered', mail: 'emailDelivery' },
} as const;

/** The expected state of the shop after each step. Methods that change it return the expected status of the answer. */
export class Model {
  readonly stock = new Map(
    Object.entries(OPENING).map(([sku, onHand]) => [sku, { onHand, reserved: 0, isSold: true }]),
  );
  readonly orders = new Map<string, ModelOrder>();
  readonly deliveries = new ModelDeliveries();
  /** All requests for orders. */
  readonly requests: PlaceRequest[] = [];
  /** All steps so far, for the error message. */
  readonly trace: string[] = [];

  place(reference: string, lines: readonly Line[]): number {
    if (lines.some(({ sku }) => !this.level(sku).isSold)) return 422;
    const wanted = sum(lines);
    const isEnough = wanted.every(({ sku, quantity }) => this.available(sku) >= quantity);
    this.orders.set(reference, { lines: wanted, status: isEnough ? 'confirmed' : 'rejected', version: 2 });
    if (isEnough) for (const line of wanted) this.reserve(line.sku, line.quantity);
    this.deliveries.add(isEnough ? 'emailConfirmation' : 'emailRejection', reference);
    if (isEnough) this.deliveries.add('countSale', reference);
    return 201;
  }

  requestFor(reference: string): PlaceRequest {
    const request = this.requests.find((each) => each.reference === reference);
    if (!request) throw new Error(`There is no request for ${reference}`);
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
    this.deliveries.add(mail, reference);
    if (change === 'cancellation') this.deliveries.add('takeBackSale', reference);
    return 200;
  }

  /** Receipts and adjustments. */
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

  state(): ShopState {
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
      ...this.deliveries.state(),
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

  /** Operators get an e-mail each time that a product on sale falls to its reorder level. */
  private watching(sku: string, change: (level: Level) => void): void {
    const wasLow = this.available(sku) <= REORDER_LEVEL;
    change(this.level(sku));
    const isLow = this.available(sku) <= REORDER_LEVEL;
    if (isLow && !wasLow && this.level(sku).isSold) this.deliveries.add('emailLowStock', sku);
  }
}

function sum(lines: readonly Line[]): Line[] {
  const totals = new Map<string, number>();
  for (const { sku, quantity } of lines) totals.set(sku, (totals.get(sku) ?? 0) + quantity);
  return [...totals].map(([sku, quantity]) => ({ sku, quantity }));
}

function wordsFor({ onHand, reserved, isSold }: Level): string {
  return `${onHand}, ${reserved} reserved, ${isSold ? 'on sale' : 'discontinued'}`;
}
