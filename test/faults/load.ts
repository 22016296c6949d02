import { setTimeout as pause } from 'node:timers/promises';
import type { App } from './app.js';
import { Asking, type AskingOptions } from './asking.js';
import { catalogue, HOT, RECEIVED, SCARCE, someLines } from './catalogue.js';
import type { Answer, Call } from './http.js';
import { KeyTrials } from './key-trials.js';
import type { Intent, Line, Wish } from './load-log.js';
import type { Random } from './random.js';
import { toCancel, toOpen, toPlace, toReceive, toShip } from './requests.js';

/** Whoever has no answer so long after the last fault has healed counts as unresolved. */
const SETTLE_WITHIN_MS = 90_000;

const BREATH_MS = 100;

export interface LoadOptions extends AskingOptions {
  readonly clients: number;
  /** Whether a repeated request gets its first answer. */
  readonly keepsKeys: boolean;
  /** Whether so much waits to be done that nobody should order more for a while. */
  readonly isBehind: () => boolean;
}

/** Clients who buy, change their minds and repeat what got no answer, as long as it takes. */
export class Load {
  private clients: Promise<unknown> | undefined;
  private isOver = false;
  private counter = 0;
  private readonly asking: Asking;
  private readonly keys: KeyTrials;

  constructor(private readonly options: LoadOptions) {
    this.asking = new Asking(options);
    this.keys = new KeyTrials(this.asking, options);
  }

  /** Puts everything on sale. */
  async open(): Promise<void> {
    const products = catalogue();
    const answer = await this.asking.ask(toOpen(products));
    const { listed } = JSON.parse(answer?.text ?? '{}');
    if (listed !== products.length) throw new Error(`Not listed: ${answer?.text}`);
  }

  start(): void {
    const { clients, random } = this.options;
    this.isOver = false;
    this.asking.deadline = Number.POSITIVE_INFINITY;
    const names = Array.from({ length: clients }, (_, number) => `client ${number}`);
    this.clients = Promise.all(names.map((name) => this.buy(random.fork(`${name} ${this.counter}`))));
    // Whoever stops the load hears of it.
    this.clients.catch(() => undefined);
  }

  /** Nobody begins anything new; resolves when all have their answers. */
  async stop(): Promise<void> {
    this.isOver = true;
    this.asking.deadline = Date.now() + SETTLE_WITHIN_MS;
    await this.clients;
  }

  /** One order through this process. Gives the address that its mail goes to. */
  async place(app: App, lines: readonly Line[]): Promise<string> {
    const intent = this.intend(lines);
    await this.settle(intent, () => this.asking.askOf(app, toPlace(intent)));
    return intent.email;
  }

  private async buy(random: Random): Promise<void> {
    while (!this.isOver) {
      if (this.options.isBehind()) {
        await pause(BREATH_MS);
        continue;
      }
      const intent = this.intend(someLines(random));
      if (this.options.keepsKeys && random.chance(0.04)) await this.keys.rush(intent);
      await this.settle(intent, () => this.asking.ask(toPlace(intent)));
      const { order } = intent;
      if (!order) continue;
      if (this.options.keepsKeys && random.chance(0.03)) await this.keys.repeat(intent);
      if (this.options.keepsKeys && random.chance(0.03)) await this.misuse(intent);
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
  private async settle(intent: Intent, ask: () => Promise<Answer | undefined>): Promise<void> {
    const { log } = this.options;
    const answer = await this.asking.insist(ask, {
      until: ({ status }) => status === 201,
      onUnknown: () => log.unknown(intent),
    });
    if (answer?.status === 201) log.acknowledge(intent, JSON.parse(answer.text));
    else if (answer) log.contradict(`${intent.reference} got ${answer.status}: ${answer.text.slice(0, 200)}`);
  }

  /** Were it taken for an order, nobody would have wanted it. */
  private async misuse(intent: Intent): Promise<void> {
    const other = { ...intent, reference: `${intent.reference}-other`, lines: [{ sku: HOT, quantity: 1 }] };
    await this.keys.misuse(intent.reference, toPlace(other, intent.reference));
  }

  private async change(id: string, what: 'cancelled' | 'shipped'): Promise<void> {
    const call = what === 'cancelled' ? toCancel(id) : toShip(id);
    // 409: an earlier request whose answer was lost has done it.
    await this.fulfil({ what, of: id, quantity: 0, reference: '', isDone: false }, call, [200, 409]);
  }

  private async receive(sku: string): Promise<void> {
    this.counter += 1;
    const reference = `receipt-${this.options.random.seed}-${this.counter}`;
    const wish: Wish = { what: 'received', of: sku, quantity: RECEIVED, reference, isDone: false };
    await this.fulfil(wish, toReceive(sku, RECEIVED, reference), [201]);
    if (this.options.keepsKeys && wish.isDone)
      await this.keys.misuse(reference, toReceive(sku, RECEIVED + 1, reference));
  }

  private async fulfil(wish: Wish, call: Call, wanted: readonly number[]): Promise<void> {
    const { log } = this.options;
    log.wish(wish);
    const answer = await this.asking.insist(() => this.asking.ask(call), {
      until: ({ status }) => wanted.includes(status),
    });
    if (answer && wanted.includes(answer.status)) log.done(wish);
    else if (answer) log.contradict(`${call.path} got ${answer.status}: ${answer.text.slice(0, 200)}`);
  }
}
