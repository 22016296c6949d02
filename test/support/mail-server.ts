import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** An accepted e-mail: the parts that the journeys use. */
export interface ReceivedMail {
  readonly to: string;
  readonly messageId: string;
  readonly text: string;
}

/** SMTP answer that refuses a recipient, e.g. `451 4.3.0 try later`; undefined accepts it. */
type Refusal = string | undefined;

/** A real mail server that stores accepted e-mails, and can refuse recipients or stop answering. */
export class MailServer {
  readonly received: ReceivedMail[] = [];
  private refuse: (to: string) => Refusal = () => undefined;
  private held: (() => void)[] | undefined;
  private readonly server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onRcptTo: ({ address }, _session, done) => done(errorOf(this.refuse(address))),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = session.envelope.rcptTo[0]?.address ?? '';
        this.take(to, Buffer.concat(chunks).toString(), () => done(null, 'queued'));
      });
    },
  });

  async listen(): Promise<this> {
    // A killed program leaves its connections broken.
    this.server.on('error', () => undefined);
    this.server.listen(0, '127.0.0.1');
    await once(this.server.server, 'listening');
    return this;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
  }

  refuses(refuse: (to: string) => Refusal): void {
    this.refuse = refuse;
  }

  /** From now on, receives e-mails without an answer. */
  hang(): void {
    this.held = [];
  }

  /** Whether a client waits for an answer. */
  get isBusy(): boolean {
    return (this.held?.length ?? 0) > 0;
  }

  /** Accepts all e-mails that wait for an answer, and answers normally again. */
  resume(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const accept of held) accept();
  }

  async stop(): Promise<void> {
    this.resume();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private take(to: string, text: string, accept: () => void): void {
    const messageId = /^message-id:\s*(\S+)/im.exec(text)?.[1] ?? '';
    const keep = () => {
      this.received.push({ to, messageId, text });
      accept();
    };
    if (this.held) this.held.push(keep);
    else keep();
  }
}

function errorOf(refusal: Refusal): Error | null {
  if (refusal === undefined) return null;
  return Object.assign(new Error(refusal.slice(4)), { responseCode: Number(refusal.slice(0, 3)) });
}
