import { randomUUID } from 'node:crypto';
import { Deliveries } from '../../backbone/delivery/deliveries.js';
import { Script, ToySold, ToysModule } from '../../backbone/testing/toy-module.js';
import { ModuleStage } from '../testing/module-stage.js';

let stage: ModuleStage;
let handled: string[];

beforeAll(async () => {
  stage = await ModuleStage.of(ToysModule);
});

afterAll(() => stage.close());

beforeEach(async () => {
  await stage.query('TRUNCATE backbone.event, backbone.delivery, backbone.paused_subscriber, backbone.operation');
  handled = [];
  for (const handler of ['count', 'ring', 'wrap'] as const)
    stage.app.get(Script, { strict: false }).on(handler, async () => void handled.push(handler));
});

const post = (verb: 'pause' | 'resume', reason = 'Bells are being cast', name = 'toys.ring') =>
  stage.post(`/v1/operations/subscriptions/${name}/${verb}`, { reason });
const audit = async () => (await stage.get('/v1/operations/audit')).body.items;
const subscription = async (name: string) =>
  (await stage.get('/v1/operations/subscriptions')).body.items.find((each: { name: string }) => each.name === name);
const overdue = async () =>
  (await stage.app.get(Deliveries).takeOverdue(['toys.count', 'toys.ring', 'toys.wrap'], 10)).map(
    ({ subscriber }) => subscriber,
  );
const makeAllDue = () => stage.query('UPDATE backbone.delivery SET due_at = clock_timestamp()');

test('the deliveries of a paused subscriber wait without attempts, and other subscribers continue', async () => {
  const { status, body } = await post('pause');
  await stage.receive(ToySold({ toy: randomUUID() }));

  expect([status, body]).toMatchObject([
    200,
    { name: 'toys.ring', pausedSince: expect.stringMatching(/Z$/), pauseReason: 'Bells are being cast', pending: 0 },
  ]);
  await stage.runDeliveries();
  expect(handled.toSorted()).toEqual(['count', 'wrap']);
  const { body: deliveries } = await stage.get('/v1/operations/deliveries?subscriber=toys.ring');
  expect(deliveries.items).toMatchObject([{ state: 'pending', attempts: 0, errors: [], leaseUntil: null }]);
  expect(await subscription('toys.ring')).toEqual({ ...body, pending: 1 });
});

test('the relay skips a paused subscriber and finds the others', async () => {
  await stage.receive(ToySold({ toy: randomUUID() }));
  await makeAllDue();
  await post('pause');

  expect((await overdue()).toSorted()).toEqual(['toys.count', 'toys.wrap']);
});

test('a handler that runs when the pause comes still finishes', async () => {
  stage.app.get(Script, { strict: false }).on('ring', async () => {
    await post('pause');
    handled.push('ring');
  });
  for (const note of ['first', 'second']) await stage.receive(ToySold({ toy: 'train', note }));
  await stage.runDeliveries();

  const { body } = await stage.get('/v1/operations/deliveries?subscriber=toys.ring');
  expect(body.items).toMatchObject([{ state: 'pending', attempts: 0 }, { state: 'done' }]);
  expect(handled.filter((each) => each === 'ring')).toHaveLength(1);
});

test('a resumed subscriber is dispatched again, and a delivery that waits for a retry keeps its due time', async () => {
  for (const note of ['first', 'failed before']) await stage.receive(ToySold({ toy: note, note }));
  await post('pause');
  await stage.query(
    `UPDATE backbone.delivery SET due_at = due_at + interval '5 minutes' WHERE order_key LIKE '%failed before'`,
  );

  const { body } = await post('resume', 'There are bells again');

  expect(body).toMatchObject({ pausedSince: null, pauseReason: null, pending: 2 });
  expect(await overdue()).toEqual(['toys.ring']);
  await stage.runDeliveries();
  expect(handled.filter((each) => each === 'ring')).toHaveLength(2);
});

test('a repeated pause or resumption does nothing: the first reason stays, and the audit has one entry of each', async () => {
  const first = await post('pause');
  const second = await post('pause', 'once more');
  await post('resume', 'There are bells again');
  const last = await post('resume', 'once more');

  expect(second.body).toEqual(first.body);
  expect([last.status, last.body.pausedSince]).toEqual([200, null]);
  const { pausedSince: since } = first.body;
  const target = { subscriber: 'toys.ring' };
  expect(await audit()).toMatchObject([
    {
      action: 'resume-subscription',
      target,
      reason: 'There are bells again',
      before: { state: 'paused', since, reason: 'Bells are being cast' },
      after: { state: 'active' },
    },
    {
      action: 'pause-subscription',
      target,
      reason: 'Bells are being cast',
      before: { state: 'active' },
      after: { state: 'paused', since },
    },
  ]);
});

test.each(['pause', 'resume'] as const)('a request to %s needs a known subscriber and a reason', async (action) => {
  expect(await post(action, 'why not', 'toys.nobody')).toMatchObject({
    status: 404,
    body: { code: 'subscription-not-found' },
  });
  for (const reason of ['', 'two\nlines', 'x'.repeat(501)])
    expect(await post(action, reason)).toMatchObject({ status: 400, body: { code: 'request-invalid' } });
  expect(await audit()).toEqual([]);
});
