import { setTimeout as pause } from 'node:timers/promises';
import type { App } from './app.js';
import { catalogue, HOT, RECEIVED, SCARCE, someLines } from './catalogue.js';
import type { Answer, Call } from './http.js';
import { KeyTrials } from './key-trials.js';
import type { Change, Intent, Line } from './load-log.js';
import type { Random } from './random.js';
import { toCancel, toImport, toPlace, toReceive, toShip } from './requests.js';
import { type ClientOptions, RetryingClient } from './retrying-client.js';

/** A request without an answer this long after the end of the last fault counts as unresolved. */
const LAST_ANSWERS_WITHIN_MS = 90_000;

/** Pause of a client while the system is overloaded. */
const PAUSE_MS = 100;

export interface LoadOptions extends ClientOptions {
  readonly clients: number;
  /** Whether a repeated idempotency key gets the first answer again. */
  readonly keepsKeys: boolean;
  /** Whether so many deliveries are pending that clients must pause. */
  readonly isOverloaded: () => boolean;
}

/** Clients that place, cancel and ship orders, and repeat requests without an answer. */
export class Load {
  private clients: Promise<unknown> | undefined;
  private isOver = false;
  private counter = 0;
  private readonly client: RetryingClient;
  private readonly keys: KeyTrials;

  constructor(private readonly options: LoadOptions) {
    this.client = new RetryingClient(options);
    this.keys = new KeyTrials(this.client, options);
  }

  /** Imports the catalogue. */
  async open(): Promise<void> {
    const products = catalogue();
    const answer = await this.client.send(toImport(products));
    const { listed } = JSON.parse(answer?.text ?? '{}');
    if (listed !== products.length) throw new Error(`The catalogue was not imported: ${answer?.text}`);
  }

  start(): void {
    const { clients, random } = this.options;
    this.isOver = false;
    this.client.deadline = Number.POSITIVE_INFINITY;
    const names = Array.from({ length: clients }, (_, number) => `client ${number}`);
    this.clients = Promise.all(names.map((name) => this.buy(random.fork(`${name} ${this.counter}`))));
    // stop() awaits the same promise, and throws its error.
    this.clients.catch(() => undefined);
  }

  /** Starts no new orders. Resolves when all requests are answered. */
  async stop(): Promise<void> {
    this.isOver = true;
    this.client.deadline = Date.now() + LAST_ANSWERS_WITHIN_MS;
    await this.clients;
  }

  /** Places one order through this process. Returns the e-mail address of its customer. */
  async place(app: App, lines: readonly Line[]): Promise<string> {
    const intent = this.intend(lines);
    await this.placeUntilAnswered(intent, () => this.client.sendTo(app, toPlace(intent)));
    return intent.email;
  }

  private async buy(random: Random): Promise<void> {
    while (!this.isOver) {
      if (this.options.isOverloaded()) {
        await pause(PAUSE_MS);
        continue;
      }
      const intent = this.intend(someLines(random));
      if (this.options.keepsKeys && random.chance(0.04)) await this.keys.sendTwice(intent);
      await this.placeUntilAnswered(intent, () => this.client.send(toPlace(intent)));
      const { order } = intent;
      if (!order) continue;
      if (this.options.keepsKeys && random.chance(0.03)) await this.keys.repeat(intent);
      if (this.options.keepsKeys && random.chance(0.03)) await this.misuse(intent);
      if (order.status === 'confirmed' && random.chance(0.12))
        await this.changeOrder(order.id, random.pick(['cancelled', 'shipped'] as const));
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

  private async placeUntilAnswered(intent: Intent, request: () => Promise<Answer | undefined>): Promise<void> {
    const { log } = this.options;
    const answer = await this.client.sendUntil(request, {
      until: ({ status }) => status === 201,
      onUnknown: () => log.unknown(intent),
    });
    if (answer?.status === 201) log.acknowledge(intent, JSON.parse(answer.text));
    else if (answer)
      log.contradict(`The answer to ${intent.reference} was ${answer.status}: ${answer.text.slice(0, 200)}`);
  }

  /** If it were accepted, the check for orders without a request would find the order. */
  private async misuse(intent: Intent): Promise<void> {
    const other = { ...intent, reference: `${intent.reference}-other`, lines: [{ sku: HOT, quantity: 1 }] };
    await this.keys.misuse(intent.reference, toPlace(other, intent.reference));
  }

  private async changeOrder(id: string, kind: 'cancelled' | 'shipped'): Promise<void> {
    const call = kind === 'cancelled' ? toCancel(id) : toShip(id);
    // 409: an earlier request whose answer was lost has done it.
    await this.changeUntilDone({ kind, target: id, quantity: 0, reference: '', isDone: false }, call, [200, 409]);
  }

  private async receive(sku: string): Promise<void> {
    this.counter += 1;
    const reference = `receipt-${this.options.random.seed}-${this.counter}`;
    const receipt: Change = { kind: 'received', target: sku, quantity: RECEIVED, reference, isDone: false };
    await this.changeUntilDone(receipt, toReceive(sku, RECEIVED, reference), [201]);
    if (this.options.keepsKeys && receipt.isDone)
      await this.keys.misuse(reference, toReceive(sku, RECEIVED + 1, reference));
  }

  private async changeUntilDone(change: Change, call: Call, wanted: readonly number[]): Promise<void> {
    const { log } = this.options;
    log.change(change);
    const answer = await this.client.sendUntil(() => this.client.send(call), {
      until: ({ status }) => wanted.includes(status),
    });
    if (answer && wanted.includes(answer.status)) log.done(change);
    else if (answer) log.contradict(`The answer to ${call.path} was ${answer.status}: ${answer.text.slice(0, 200)}`);
  }
}
