import { errorFingerprint } from './failure.js';

const of = (message: string, name = 'Error') => errorFingerprint({ name, message });

test.each([
  ['ids', 'No order 0192f3a0-5b1e-7c3d-9f2a-4e6b8d0c1a2b', 'No order 0192f3a0-0000-7c3d-9f2a-4e6b8d0c1a2b'],
  ['hex', 'job 4f3a9c failed', 'job 99b failed'],
  ['SKUs', 'NW-11 is gone', 'NW-2048 is gone'],
  ['numbers', 'No outcome within 30000 ms', 'No outcome within 2.5 ms'],
  ['quoted texts', `no template 'hello'`, `no template 'good bye, my "friend"'`],
  ['typographic quotes', 'no template “hello”', 'no template “good bye”'],
  ['e-mail addresses', 'no such user <***@example.com>', 'no such user <***@mail.example.org>'],
  ['URLs', 'POST https://a.example/hook?x=1 failed', 'POST https://b.example/ failed'],
  ['addresses of hosts', 'connect ECONNREFUSED 127.0.0.1:25', 'connect ECONNREFUSED 10.1.2.3:587'],
  ['IPv6 addresses', 'connect ECONNREFUSED ::1:25', 'connect ECONNREFUSED ::1:587'],
  ['names of hosts', 'getaddrinfo ENOTFOUND mail.example.com', 'getaddrinfo ENOTFOUND mx.example.org'],
  ['line breaks', 'broken\n  in two', 'broken in two'],
])('%s make no difference', (_, one, other) => {
  expect(of(one)).toBe(of(other));
});

test.each([
  ['the words', 'mailbox full', 'mailbox unknown'],
  ['an apostrophe that quotes nothing', `can't send, won't try`, `can't read, won't try`],
])('%s make one', (_, one, other) => {
  expect(of(one)).not.toBe(of(other));
});

test('the name of the error makes one', () => {
  expect(of('no answer', 'TimedOut')).not.toBe(of('no answer', 'GiveUp'));
});

test('it is short, stable, and found without effort however long the message', () => {
  expect(of('no answer from 127.0.0.1')).toMatch(/^[0-9a-f]{16}$/);
  const start = performance.now();
  for (const part of ['a', 'a.', "'", '1-', '@', 'a:', '“']) of(part.repeat(2_000));
  expect(performance.now() - start).toBeLessThan(1_000);
});
