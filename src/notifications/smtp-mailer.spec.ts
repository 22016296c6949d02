import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { type Mail, MailNotSent, MailRefused } from './mailer.js';
import { SmtpMailer } from './smtp-mailer.js';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A mail server in this process, and a mailer that sends to it. */
async function aMailServer(options: SMTPServerOptions = {}) {
  const received: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        received.push(Buffer.concat(chunks).toString());
        done(null, 'queued as 4711');
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  open.push(() => new Promise<void>((resolve) => server.close(resolve)));
  const { port } = server.server.address() as AddressInfo;
  return { received, server, port, mailer: mailerTo(`smtp://127.0.0.1:${port}`) };
}

function mailerTo(url: string): SmtpMailer {
  const mailer = new SmtpMailer(url);
  open.push(() => mailer.onApplicationShutdown());
  return mailer;
}

function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

const aMail = (changes: Partial<Mail> = {}): Mail => ({
  messageId: '<0192f3c2.order-confirmed@shop.example>',
  from: { name: 'Northwind, Traders', address: 'shop@shop.example' },
  to: 'maria@customer.example',
  subject: 'Your order is confirmed – danke, Jürgen',
  html: '<p>Grüße</p>',
  text: 'Grüße',
  headers: { 'Auto-Submitted': 'auto-generated' },
  about: { kind: 'order', id: '0192f3c2-7a1b-7c3d-9e4f-5a6b4f2a91c3' },
  ...changes,
});

const neverAborted = new AbortController().signal;

test('a mail arrives with both parts, its headers and its message id', async () => {
  const { mailer, received } = await aMailServer();

  const answer = await mailer.send(aMail(), neverAborted);

  expect(answer).toBe('250 queued as 4711');
  const mail = await simpleParser(received[0] ?? '');
  expect(mail).toMatchObject({
    messageId: '<0192f3c2.order-confirmed@shop.example>',
    subject: 'Your order is confirmed – danke, Jürgen',
    html: '<p>Grüße</p>',
    text: 'Grüße',
    from: { value: [{ name: 'Northwind, Traders', address: 'shop@shop.example' }] },
    to: { value: [{ address: 'maria@customer.example' }] },
  });
  expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
});

test('an unknown recipient is refused permanently, and the error does not contain the address', async () => {
  const { mailer } = await aMailServer({
    onRcptTo: ({ address }, _session, done) => done(refusal(550, `5.1.1 <${address}>: no such user`)),
  });

  const failure = await mailer.send(aMail(), neverAborted).catch((error: unknown) => error);

  expect(failure).toBeInstanceOf(MailRefused);
  expect(failure).toMatchObject({ message: expect.stringContaining('550') });
  expect(inspect(failure)).not.toContain('maria@');
});

test('content that the server rejects is refused permanently', async () => {
  const { mailer } = await aMailServer({
    onData: (stream, _session, done) => stream.resume().on('end', () => done(refusal(554, '5.7.1 looks like spam'))),
  });

  await expect(mailer.send(aMail(), neverAborted)).rejects.toBeInstanceOf(MailRefused);
});

test.each([
  ['a busy mailbox of the recipient', { onRcptTo: (_to, _session, done) => done(refusal(451, '4.3.0 try later')) }],
  ['a refused sender', { onMailFrom: (_from, _session, done) => done(refusal(550, 'who?')) }],
  [
    'a server without disk space',
    { onData: (stream, _session, done) => stream.resume().on('end', () => done(refusal(452, 'full'))) },
  ],
] satisfies [string, SMTPServerOptions][])('%s can be retried', async (_case, options) => {
  const { mailer, received } = await aMailServer(options);

  await expect(mailer.send(aMail(), neverAborted)).rejects.toBeInstanceOf(MailNotSent);
  expect(received).toEqual([]);
});

test('a wrong password can be retried, because an operator can correct it', async () => {
  const { port } = await aMailServer({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) => done(refusal(535, '5.7.8 wrong password')),
  });

  const sending = mailerTo(`smtp://shop:secret@127.0.0.1:${port}`).send(aMail(), neverAborted);

  await expect(sending).rejects.toThrow(MailNotSent);
});

test.each([
  ['breaks off', (socket: Socket) => socket.destroy()],
  ['is closed', (socket: Socket) => socket.end()],
])('a mail whose connection %s after its content is not sent again by the mailer', async (_case, cut) => {
  let contents = 0;
  const { mailer, server } = await aMailServer({
    onData(stream, _session, done) {
      stream.resume().on('end', () => {
        contents += 1;
        if (contents === 1) done();
        else for (const connection of server.connections) cut(connection._socket);
      });
    },
  });
  await mailer.send(aMail(), neverAborted);

  await expect(mailer.send(aMail(), neverAborted)).rejects.toBeInstanceOf(MailNotSent);
  expect(contents).toBe(2);
});

test('a pooled connection that the server has closed is replaced without a failed attempt', async () => {
  const { mailer, server, received } = await aMailServer();
  await mailer.send(aMail(), neverAborted);
  for (const connection of server.connections) connection._socket.destroy();

  await mailer.send(aMail(), neverAborted);

  expect(received).toHaveLength(2);
});

test('an unreachable server can be retried', async () => {
  const { mailer, server } = await aMailServer();
  await new Promise<void>((resolve) => server.close(resolve));

  await expect(mailer.send(aMail(), neverAborted)).rejects.toBeInstanceOf(MailNotSent);
});

test('an aborted signal ends the attempt on a server that hangs, and closes the socket', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  open.push(() => silent.close());
  const mailer = mailerTo(`smtp://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  const abort = new AbortController();

  const failure = mailer.send(aMail(), abort.signal).catch((error: unknown) => error);
  const [socket] = (await once(silent, 'connection')) as [Socket];
  const closed = once(socket.resume(), 'close');
  abort.abort(new Error('The process stops'));

  expect(await failure).toBeInstanceOf(MailNotSent);
  await closed;
});

test('a mail after a refused one is sent through the same pool', async () => {
  const { mailer, received } = await aMailServer({
    onRcptTo: ({ address }, _session, done) => done(address.startsWith('nobody') ? refusal(550, 'no such user') : null),
  });

  await expect(mailer.send(aMail({ to: 'nobody@customer.example' }), neverAborted)).rejects.toBeInstanceOf(MailRefused);
  await mailer.send(aMail(), neverAborted);

  expect(received).toHaveLength(1);
});

test.each([
  ['a subject with a second header', { subject: 'Hello\r\nBcc: thief@evil.example' }],
  ['a header value with a line break', { headers: { 'X-Correlation-Id': 'a\nBcc: thief@evil.example' } }],
  ['two recipients in one', { to: 'maria@customer.example, thief@evil.example' }],
  ['a recipient with a line break', { to: 'maria@customer.example\r\nRCPT TO:<thief@evil.example>' }],
  ['a recipient with a name', { to: 'Maria <maria@customer.example>' }],
])('%s never reaches the server', async (_case, changes) => {
  const { mailer, server } = await aMailServer();

  await expect(mailer.send(aMail(changes), neverAborted)).rejects.toBeInstanceOf(MailRefused);
  expect(server.connections.size).toBe(0);
});
