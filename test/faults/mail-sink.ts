import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

/** How it treats a mail: takes it, refuses it for now, says nothing, or takes it and hangs up before it says so. */
export type Manner = 'takes' | 'refuses' | 'hangs' | 'hangs-up';

/** One mail that was taken, as far as the checks look at it. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly messageId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

interface Connection {
  readonly session: SMTPServerSession;
  readonly _socket: Socket;
}

/** A real mail server that remembers every mail that it took, in the order of their arrival. */
export class MailSink {
  readonly mails: Mail[] = [];
  private manner: Manner = 'takes';
  private readonly held: (() => void)[] = [];
  private readonly addresses = new Set<string>();
  private readonly server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onRcptTo: (_address, _session, done) => done(this.manner === 'refuses' ? tryLater() : null),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => this.take(session, Buffer.concat(chunks).toString(), () => done(null, 'queued')));
    },
  });

  async listen(): Promise<this> {
    this.server.on('error', () => undefined);
    this.server.listen(0, '127.0.0.1');
    await once(this.server.server, 'listening');
    return this;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
  }

  /** Whoever waits for its word since an earlier manner gets it. */
  become(manner: Manner): void {
    this.manner = manner;
    for (const goOn of this.held.splice(0)) goOn();
  }

  /** Whether a mail has come to this address. */
  knows(address: string): boolean {
    return this.addresses.has(address);
  }

  async stop(): Promise<void> {
    this.become('takes');
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private take(session: SMTPServerSession, text: string, accept: () => void): void {
    const [head = ''] = text.split('\r\n\r\n', 1);
    const to = session.envelope.rcptTo[0]?.address ?? '';
    const subject = /^subject:\s*(.*)/im.exec(head)?.[1] ?? '';
    const messageId = /^message-id:\s*(\S+)/im.exec(head)?.[1] ?? '';
    const keep = () => {
      this.mails.push({ to, subject, messageId, at: Date.now() });
      this.addresses.add(to);
      if (this.manner === 'hangs-up') this.hangUp(session);
      else accept();
    };
    if (this.manner === 'hangs') this.held.push(keep);
    else keep();
  }

  private hangUp(session: SMTPServerSession): void {
    const connections = this.server.connections as unknown as Set<Connection>;
    for (const connection of connections) if (connection.session === session) connection._socket.destroy();
  }
}

function tryLater(): Error {
  return Object.assign(new Error('4.3.0 try later'), { responseCode: 451 });
}
