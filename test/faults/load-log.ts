import { createWriteStream, type WriteStream } from 'node:fs';

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

/** An order that a client places. Its reference is also its idempotency key. */
export interface Intent {
  readonly reference: string;
  readonly email: string;
  readonly lines: readonly Line[];
  /** Number of requests without an answer. */
  unknowns: number;
  /** Set after a 201. */
  order?: { readonly id: string; readonly status: string };
}

/** A change of an existing order or of stock, which is requested until it is done. */
export interface Change {
  readonly kind: 'cancelled' | 'shipped' | 'received';
  /** Order id or SKU. */
  readonly target: string;
  readonly quantity: number;
  /** Of a receipt, also its idempotency key. */
  readonly reference: string;
  isDone: boolean;
}

/** Another request with a used key, and its answer. */
export interface Misuse {
  readonly key: string;
  readonly status: number;
  /** Problem code of the answer. */
  readonly code: unknown;
}

/** A request whose connection was closed before the end of its answer; times in milliseconds since the epoch. */
export interface Break {
  readonly app: string;
  readonly sentAt: number;
  readonly brokeAt: number;
  /** Part of the answer was received. */
  readonly hasBegun: boolean;
}

/** Records each request before it is sent and each answer after it is received, in memory and in a file. */
export class LoadLog {
  readonly intents = new Map<string, Intent>();
  readonly changes: Change[] = [];
  readonly misuses: Misuse[] = [];
  readonly breaks: Break[] = [];
  /** Wrong answers, one sentence each. */
  readonly contradictions: string[] = [];
  /** Number of answers by status. */
  readonly answers = new Map<number, number>();
  /** Times of the acknowledgements, in milliseconds since the epoch. */
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

  change(change: Change): void {
    this.changes.push(change);
    this.write('change', { ...change });
  }

  done(change: Change): void {
    change.isDone = true;
    this.write('done', { ...change });
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

  private write(entry: string, fields: object): void {
    this.file.write(`${JSON.stringify({ at: new Date().toISOString(), entry, ...fields })}\n`);
  }
}
