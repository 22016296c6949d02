import { Fields, type Message } from './wire.js';

/** A statement that a program has sent. */
export interface Statement {
  readonly sql: string;
  /** In text format; null is NULL. */
  readonly parameters: readonly (string | null)[];
  /** Sent before the answer to the previous statement was received. */
  readonly isPipelined: boolean;
}

const BINARY = 1;

/** Decodes the messages of one connection: simple queries, and prepared statements with or without a name. */
export class Conversation {
  private readonly prepared = new Map<string, string>();
  private readonly bound = new Map<string, Pick<Statement, 'sql' | 'parameters'>>();
  private unanswered = 0;
  private isBusy = false;

  /** Returns the statement that a message of the client executes, if any. */
  clientMessage({ type, body }: Message): Statement | undefined {
    const fields = new Fields(body);
    if (type === 'P') this.prepared.set(fields.text(), fields.text());
    if (type === 'B') this.bind(fields);
    if (type === 'Q' || type === 'S') this.unanswered += 1;
    if (type === 'Q') return this.run({ sql: fields.text(), parameters: [] });
    if (type === 'E') return this.run(this.bound.get(fields.text()));
    return undefined;
  }

  serverMessage({ type }: Message): void {
    if (type !== 'Z') return;
    this.unanswered = Math.max(0, this.unanswered - 1);
    if (this.unanswered === 0) this.isBusy = false;
  }

  private run(statement: Pick<Statement, 'sql' | 'parameters'> | undefined): Statement | undefined {
    const isPipelined = this.isBusy;
    this.isBusy = true;
    return statement && { ...statement, isPipelined };
  }

  private bind(fields: Fields): void {
    const portal = fields.text();
    const sql = this.prepared.get(fields.text()) ?? '';
    const formats = fields.list(() => fields.int16());
    const parameters = fields.list(() => fields.value());
    this.bound.set(portal, {
      sql,
      parameters: parameters.map((value, nr) => textOf(value, formats[nr] ?? formats[0])),
    });
  }
}

/** The driver sends bytes in binary format, and all other types in text format. */
function textOf(value: Buffer | null, format = 0): string | null {
  if (value === null) return null;
  return format === BINARY ? `\\x${value.toString('hex')}` : value.toString();
}
