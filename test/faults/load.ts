import { setTimeout as pause } from 'node:timers/promises';
import type { App } from './app.js';
import { type Answer, type Call, send } from './http.js';
import type { Intent, Line, LoadLog, Wish } from './load-log.js';
import type { Random } from './random.js';

/** There is more of these than anybody can buy. */
const PLENTY = Array.from({ length: 24 }, (_, number) => `PLENTY-${number + 1}`);
/** Of these there is too little, now and then more. */
const SCARCE = Array.from({ length: 4 }, (_, number) => `SCARCE-${number + 1}`);
const PLENTY_ON_HAND = 1_000_000;
export const SCARCE_ON_HAND = 150;
const RECEIVED = 40;
/** Everybody wants this one, so its row is locked most of the time. */
const HOT = 'PLENTY-1';

const TIMEOUT_MS = 15_000;
/** Whoever has no answer by then gives up, and counts as unresolved. */
const PATIENCE_MS = 150_000;
/** The same after the last fault has healed. */
const SETTLE_WITHIN_MS = 90_000;

export interface LoadOptions {
  readonly apps: readonly App[];
  readonly random: Random;
  readonly log: LoadLog;
  readonly clients: number;
  /** Whether a repeated request gets its first answer. */
  readonly keepsKeys: boolean;
}

/** Clients who buy, change their minds and repeat what got no answer, as long as it takes. */
export class Load {
  private clients: Promise<unknown> | undefined;
  private deadline = Number.POSITIVE_INFINITY;
  private isOver = false;
  private counter = 0;

  constructor(private readonly options: LoadOptions) {}

  /** Puts everything on sale. */
  async open(): Promise<void> {
    const products = [
      ...PLENTY.map((sku) => aProduct(sku, PLENTY_ON_HAND)),
      ...SCARCE.map((sku) => aProduct(sku, SCARCE_ON_HAND)),
    ];
    const body = products.map((product) => `${JSON.stringify(product)}\n`).join('');
    const answer = await this.ask({ method: 'POST', path: '/v1/products/import', body, timeoutMs: TIMEOUT_MS });
    const { listed } = JSON.parse(answer?.text ?? '{}');
    if (listed !== products.length) throw new Error(`Not listed: ${answer?.text}`);
  }

  start(): void {
    const { clients, random } = this.options;
    this.isOver = false;
    this.deadline = Number.POSITIVE_INFINITY;
    const names = Array.from({ length: clients }, (_, number) => `client ${number}`);
    this.clients = Promise.all(names.map((name) => this.buy(random.fork(`${name} ${this.counter}`))));
  }

  /** Nobody begins anything new; resolves when all have their answers. */
  async stop(): Promise<void> {
    this.isOver = true;
    this.deadline = Date.now() + SETTLE_WITHIN_MS;
    await this.clients;
  }

  /** One order through this process. Gives the address that its mail goes to. */
  async place(app: App, lines: readonly Line[]): Promise<string> {
    const intent = this.intend(lines);
    await this.settle(intent, () => app);
    return intent.email;
  }

  private async buy(random: Random): Promise<void> {
    while (!this.isOver) {
      const intent = this.intend(someLines(random));
      await this.settle(intent, () => random.pick(this.serving('/v1/orders')));
      const { order } = intent;
      if (!order) continue;
      if (this.options.keepsKeys && random.chance(0.03)) await this.repeat(intent);
      if (order.status === 'confirmed' && random.chance(0.06)) await this.change(order.id, 'cancelled');
      else if (order.status === 'confirmed' && random.chance(0.06)) await this.change(order.id, 'shipped');
      if (random.chance(0.02)) await this.receive(random.pick(SCARCE));
    }
  }

  private intend(lines: readonly Line[]): Intent {
    this.counter += 1;
    const reference = `${this.options.random.seed}-${this.counter}`;
    const intent: Intent = { reference, email: `buyer-${reference}@example.com`, lines, unknowns: 0 };
    this.options.log.intend(intent);
    return intent;
  }

  /** Asks until there is an answer. */
  private async settle(intent: Intent, app: () => App): Promise<void> {
    const { log } = this.options;
    const answer = await this.insist(() => send(app().url, orderOf(intent)), {
      until: ({ status }) => status === 201,
      onUnknown: () => log.unknown(intent),
    });
    if (answer?.status === 201) log.acknowledge(intent, JSON.parse(answer.text));
    else if (answer) log.contradict(`${intent.reference} got ${answer.status}: ${answer.text.slice(0, 200)}`);
  }

  private async repeat(intent: Intent): Promise<void> {
    const ask = () => this.ask(orderOf(intent));
    const answer = await this.insist(ask, { until: ({ status }) => status === 201 });
    if (!answer) return;
    const { id, status } = JSON.parse(answer.text);
    if (id !== intent.order?.id || status !== intent.order?.status || answer.headers['idempotent-replayed'] !== 'true')
      this.options.log.contradict(`${intent.reference} was repeated and got ${answer.status}: ${answer.text}`);
  }

  private async change(id: string, what: 'cancelled' | 'shipped'): Promise<void> {
    const [path, body] =
      what === 'cancelled'
        ? ['cancellation', { reason: 'Changed their mind' }]
        : ['shipment', { carrier: 'DHL', trackingNumber: `T-${id.slice(-12)}` }];
    const call: Call = {
      method: 'POST',
      path: `/v1/orders/${id}/${path}`,
      body: JSON.stringify(body),
      timeoutMs: TIMEOUT_MS,
    };
    // 409: an earlier request whose answer was lost has done it.
    await this.fulfil({ what, of: id, quantity: 0, isDone: false }, call, [200, 409]);
  }

  private async receive(sku: string): Promise<void> {
    this.counter += 1;
    const reference = `receipt-${this.options.random.seed}-${this.counter}`;
    const call: Call = {
      method: 'POST',
      path: `/v1/stock/${sku}/receipts`,
      body: JSON.stringify({ quantity: RECEIVED, reference }),
      headers: { 'idempotency-key': reference },
      timeoutMs: TIMEOUT_MS,
    };
    await this.fulfil({ what: 'received', of: sku, quantity: RECEIVED, isDone: false }, call, [201]);
  }

  private async fulfil(wish: Wish, call: Call, wanted: readonly number[]): Promise<void> {
    const { log } = this.options;
    log.wish(wish);
    const answer = await this.insist(() => this.ask(call), { until: ({ status }) => wanted.includes(status) });
    if (answer && wanted.includes(answer.status)) log.done(wish);
    else if (answer) log.contradict(`${call.path} got ${answer.status}: ${answer.text.slice(0, 200)}`);
  }

  private serving(path: string): App[] {
    return this.options.apps.filter((app) => app.serves(path));
  }

  private ask(call: Call): Promise<Answer | undefined> {
    return send(this.options.random.pick(this.serving(call.path)).url, call);
  }

  /**
   * Repeats a request that got no answer, or one that says "not now". Gives the answer that was waited for, or one that
   * says that it was wrong; undefined when the time is up.
   */
  private async insist(
    ask: () => Promise<Answer | undefined>,
    { until, onUnknown }: { until: (answer: Answer) => boolean; onUnknown?: () => void },
  ): Promise<Answer | undefined> {
    const patience = Date.now() + PATIENCE_MS;
    while (Date.now() < Math.min(patience, this.deadline)) {
      const answer = await ask();
      if (answer && (until(answer) || isRefusal(answer))) return answer;
      // A 5xx may come after the commit: whoever lost the answer of PostgreSQL knows no more than we do.
      if (!answer || answer.status >= 500) onUnknown?.();
      await pause(100 + Math.random() * 200);
    }
    return undefined;
  }
}

/** 409 with Retry-After: the same key is being worked on. */
function isRefusal({ status, headers }: Answer): boolean {
  return status >= 400 && status < 500 && headers['retry-after'] === undefined;
}

function someLines(random: Random): Line[] {
  const skus = new Set<string>();
  const wanted = random.chance(0.1) ? random.between(2, 5) : 1;
  while (skus.size < wanted) skus.add(aSku(random));
  return [...skus].map((sku) => ({ sku, quantity: random.between(1, 4) }));
}

function aSku(random: Random): string {
  if (random.chance(0.25)) return HOT;
  return random.chance(0.1) ? random.pick(SCARCE) : random.pick(PLENTY);
}

function aProduct(sku: string, onHand: number) {
  return {
    sku,
    name: `Product ${sku}`,
    category: 'Beverages',
    unitPrice: { amount: 1800, currency: 'USD' },
    reorderLevel: 0,
    onHand,
  };
}

function orderOf({ reference, email, lines }: Intent): Call {
  const body = {
    customer: { name: 'Maria Anders', email },
    shippingAddress: { name: 'Maria Anders', street: 'Obere Str. 57', city: 'Berlin', country: 'Germany' },
    lines,
    reference,
  };
  return {
    method: 'POST',
    path: '/v1/orders',
    body: JSON.stringify(body),
    headers: { 'idempotency-key': reference, prefer: 'wait=3' },
    timeoutMs: TIMEOUT_MS,
  };
}
