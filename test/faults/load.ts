import { setTimeout as pause } from 'node:timers/promises';
import type { App } from './app.js';
import { catalogue, RECEIVED, SCARCE, someLines } from './catalogue.js';
import { type Answer, type Call, send } from './http.js';
import type { Intent, Line, LoadLog, Wish } from './load-log.js';
import type { Random } from './random.js';
import { toCancel, toOpen, toPlace, toReceive, toShip } from './requests.js';

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
    const products = catalogue();
    const answer = await this.ask(toOpen(products));
    const { listed } = JSON.parse(answer?.text ?? '{}');
    if (listed !== products.length) throw new Error(`Not listed: ${answer?.text}`);
  }

  start(): void {
    const { clients, random } = this.options;
    this.isOver = false;
    this.deadline = Number.POSITIVE_INFINITY;
    const names = Array.from({ length: clients }, (_, number) => `client ${number}`);
    this.clients = Promise.all(names.map((name) => this.buy(random.fork(`${name} ${this.counter}`))));
    // Whoever stops the load hears of it.
    this.clients.catch(() => undefined);
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
      if (order.status === 'confirmed' && random.chance(0.12))
        await this.change(order.id, random.pick(['cancelled', 'shipped'] as const));
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
    const answer = await this.insist(() => send(app().url, toPlace(intent)), {
      until: ({ status }) => status === 201,
      onUnknown: () => log.unknown(intent),
    });
    if (answer?.status === 201) log.acknowledge(intent, JSON.parse(answer.text));
    else if (answer) log.contradict(`${intent.reference} got ${answer.status}: ${answer.text.slice(0, 200)}`);
  }

  private async repeat(intent: Intent): Promise<void> {
    const ask = () => this.ask(toPlace(intent));
    const answer = await this.insist(ask, { until: ({ status }) => status === 201 });
    if (answer?.status !== 201) return;
    const { id, status } = JSON.parse(answer.text);
    // Where stock is kept elsewhere the stored answer is from before the order was settled.
    const isSame = id === intent.order?.id && (status === intent.order?.status || status === 'placed');
    if (!isSame || answer.headers['idempotent-replayed'] !== 'true')
      this.options.log.contradict(`${intent.reference} was repeated and got ${answer.status}: ${answer.text}`);
  }

  private async change(id: string, what: 'cancelled' | 'shipped'): Promise<void> {
    const call = what === 'cancelled' ? toCancel(id) : toShip(id);
    // 409: an earlier request whose answer was lost has done it.
    await this.fulfil({ what, of: id, quantity: 0, reference: '', isDone: false }, call, [200, 409]);
  }

  private async receive(sku: string): Promise<void> {
    this.counter += 1;
    const reference = `receipt-${this.options.random.seed}-${this.counter}`;
    const call = toReceive(sku, RECEIVED, reference);
    await this.fulfil({ what: 'received', of: sku, quantity: RECEIVED, reference, isDone: false }, call, [201]);
  }

  private async fulfil(wish: Wish, call: Call, wanted: readonly number[]): Promise<void> {
    const { log } = this.options;
    log.wish(wish);
    const answer = await this.insist(() => this.ask(call), { until: ({ status }) => wanted.includes(status) });
    if (answer && wanted.includes(answer.status)) log.done(wish);
    else if (answer) log.contradict(`${call.path} got ${answer.status}: ${answer.text.slice(0, 200)}`);
  }

  /** Whatever is broken behind it, a shop that cannot serve says when to come again. */
  private watch({ status, headers, text }: Answer): void {
    if (status !== 0) this.options.log.answered(status);
    if (status === 500 || (status === 503 && headers['retry-after'] === undefined))
      this.options.log.contradict(`${status}: ${text.slice(0, 300)}`);
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
      if (answer) this.watch(answer);
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
