import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

const TEXT_TYPE = 25;

/**
 * A server that implements only the part of the PostgreSQL protocol that a query for the version needs. It answers
 * every query with its version. See https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class OldPostgres {
  private readonly server: Server;

  constructor(version: string) {
    const column = [text('version'), int(0, 4), int(0, 2), int(TEXT_TYPE, 4), int(-1, 2), int(-1, 4), int(0, 2)];
    const value = Buffer.from(version);
    const answer = Buffer.concat([
      message('T', int(1, 2), ...column),
      message('D', int(1, 2), int(value.length, 4), value),
      message('C', text('SELECT 1')),
      READY,
    ]);
    this.server = createServer((socket) => void serve(socket, answer)).listen(0, '127.0.0.1');
  }

  async url(): Promise<string> {
    if (!this.server.listening) await once(this.server, 'listening');
    return `postgres://orderly@127.0.0.1:${(this.server.address() as AddressInfo).port}/orderly`;
  }

  stop(): void {
    this.server.close();
  }
}

const READY = message('Z', Buffer.from('I'));
const WELCOME = message('R', int(0, 4));

async function serve(socket: Socket, answer: Buffer): Promise<void> {
  socket.on('error', () => undefined);
  await once(socket, 'data');
  socket.write(Buffer.concat([WELCOME, READY]));
  socket.on('data', (query: Buffer) => query.toString('latin1', 0, 1) === 'Q' && socket.write(answer));
}

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int(body.length + 4, 4), body]);
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

function int(value: number, bytes: 2 | 4): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, 0, bytes);
  return buffer;
}
