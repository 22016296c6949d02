import { createWriteStream, type WriteStream } from 'node:fs';

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

/** An order that somebody wants to place; its reference is in it, and is its idempotency key as well. */
export interface Intent {
  readonly reference: string;
  readonly email: string;
  readonly lines: readonly Line[];
  /** Requests without an answer so far. */
  unknowns: number;
  /** Once there was a 201. */
  order?: { readonly id: string; readonly status: string };
}

/** Something that was asked of an order that is there, or of stock, until it was done. */
export interface Wish {
  readonly what: 'cancelled' | 'shipped' | 'received';
  /** An order's id, or a SKU. */
  readonly of: string;
  readonly quantity: number;
  /** Of a receipt: its idempotency key as well. */
  readonly reference: string;
  isDone: boolean;
}

/** Another request with a key that has had its answer, and what came of it. */
export interface Misuse {
  readonly key: string;
  readonly status: number;
  /** Of the refusal. */
  readonly code: unknown;
}

/** A request whose process hung up before its answer was there; times in milliseconds since the epoch. */
export interface Break {
  readonly app: string;
  readonly sentAt: number;
  readonly brokeAt: number;
  /** Some of the answer had come. */
  readonly hasBegun: boolean;
}

/** What the clients wanted and what they were told, written down before each request and after each answer. */
export class LoadLog {
  readonly intents = new Map<string, Intent>();
  readonly wishes: Wish[] = [];
  readonly misuses: Misuse[] = [];
  readonly breaks: Break[] = [];
  /** What was told wrongly, in a sentence each. */
  readonly contradictions: string[] = [];
  /** Answers that were given so often, by their status. */
  readonly answers = new Map<number, number>();
  /** When each order was acknowledged, in milliseconds since the epoch. */
  readonly acknowledgedAt: number[] = [];
  private readonly file: WriteStream;

  constructor(path: string) {
    this.file = createWriteStream(path, { flags: 'a' });
  }

  intend(intent: Intent): void {
    this.intents.set(intent.reference, intent);
    this.write('intent', { reference: intent.reference, lines: intent.lines });
  }

  unknown(intent: Intent): void {
    intent.unknowns += 1;
    this.write('unknown', { reference: intent.reference });
  }

  acknowledge(intent: Intent, order: { readonly id: string; readonly status: string }): void {
    intent.order = { id: order.id, status: order.status };
    this.acknowledgedAt.push(Date.now());
    this.write('acknowledged', { reference: intent.reference, ...intent.order });
  }

  wish(wish: Wish): void {
    this.wishes.push(wish);
    this.write('wish', { ...wish });
  }

  done(wish: Wish): void {
    wish.isDone = true;
    this.write('done', { ...wish });
  }

  misuse(misuse: Misuse): void {
    this.misuses.push(misuse);
    this.write('misuse', misuse);
  }

  broken(broken: Break): void {
    this.breaks.push(broken);
    this.write('broken', broken);
  }

  answered(status: number): void {
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
  }

  contradict(sentence: string): void {
    this.contradictions.push(sentence);
    this.write('contradiction', { sentence });
  }

  get acknowledged(): number {
    return this.acknowledgedAt.length;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.file.end(resolve));
  }

  private write(what: string, fields: object): void {
    this.file.write(`${JSON.stringify({ at: new Date().toISOString(), what, ...fields })}\n`);
  }
}
