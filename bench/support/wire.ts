/** One message of the PostgreSQL protocol, from client or server. */
export interface Message {
  /** Empty for the first message of a client, which has no type. */
  readonly type: string;
  readonly body: Buffer;
}

const LENGTH_BYTES = 4;

/**
 * Splits a stream into messages: https://www.postgresql.org/docs/current/protocol-message-formats.html
 * @param isClient whether the stream begins with the start-up message, which has no type
 */
export class Messages {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private isClient: boolean) {}

  take(chunk: Buffer): Message[] {
    this.rest = Buffer.concat([this.rest, chunk]);
    const messages: Message[] = [];
    for (;;) {
      const typeBytes = this.isClient ? 0 : 1;
      if (this.rest.length < typeBytes + LENGTH_BYTES) return messages;
      const end = typeBytes + this.rest.readInt32BE(typeBytes);
      if (this.rest.length < end) return messages;
      const type = this.rest.toString('latin1', 0, typeBytes);
      messages.push({ type, body: this.rest.subarray(typeBytes + LENGTH_BYTES, end) });
      this.rest = this.rest.subarray(end);
      this.isClient = false;
    }
  }
}

/** Reads the fields of a message one after the other. */
export class Fields {
  private at = 0;

  constructor(private readonly body: Buffer) {}

  text(): string {
    const end = this.body.indexOf(0, this.at);
    const text = this.body.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }

  int16(): number {
    this.at += 2;
    return this.body.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.body.readInt32BE(this.at - 4);
  }

  /** A list after its length. */
  list<Item>(item: () => Item): Item[] {
    return Array.from({ length: this.int16() }, item);
  }

  /** A value after its length in bytes; null when the length is negative. */
  value(): Buffer | null {
    const length = this.int32();
    if (length < 0) return null;
    this.at += length;
    return this.body.subarray(this.at - length, this.at);
  }
}
