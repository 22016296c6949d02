import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

/** Accepts e-mails, refuses them temporarily, does not answer, or accepts them and disconnects before its answer. */
export type Behaviour = 'accepts' | 'refuses' | 'hangs' | 'disconnects';

/** An accepted e-mail: the parts that the checks use. */
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

/** A real mail server that records every accepted e-mail, in the sequence of their arrival. */
export class MailSink {
  readonly mails: Mail[] = [];
  private behaviour: Behaviour = 'accepts';
  private readonly held: (() => void)[] = [];
  private readonly addresses = new Set<string>();
  private readonly server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onRcptTo: (_address, _session, done) => done(this.behaviour === 'refuses' ? tryLater() : null),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => this.receive(session, Buffer.concat(chunks).toString(), () => done(null, 'queued')));
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

  /** Also continues with the e-mails that have waited for an answer. */
  behave(behaviour: Behaviour): void {
    this.behaviour = behaviour;
    for (const handle of this.held.splice(0)) handle();
  }

  /** Whether an e-mail to this address was accepted. */
  hasReceived(address: string): boolean {
    return this.addresses.has(address);
  }

  async stop(): Promise<void> {
    this.behave('accepts');
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private receive(session: SMTPServerSession, text: string, accept: () => void): void {
    const [head = ''] = text.split('\r\n\r\n', 1);
    const to = session.envelope.rcptTo[0]?.address ?? '';
    const subject = /^subject:\s*(.*)/im.exec(head)?.[1] ?? '';
    const messageId = /^message-id:\s*(\S+)/im.exec(head)?.[1] ?? '';
    const keep = () => {
      this.mails.push({ to, subject, messageId, at: Date.now() });
      this.addresses.add(to);
      if (this.behaviour === 'disconnects') this.disconnect(session);
      else accept();
    };
    if (this.behaviour === 'hangs') this.held.push(keep);
    else keep();
  }

  private disconnect(session: SMTPServerSession): void {
    const connections = this.server.connections as unknown as Set<Connection>;
    for (const connection of connections) if (connection.session === session) connection._socket.destroy();
  }
}

function tryLater(): Error {
  return Object.assign(new Error('4.3.0 try later'), { responseCode: 451 });
}
