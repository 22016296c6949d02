import { randomUUID } from 'node:crypto';
import { DeliveryRunner } from '../../backbone/delivery/delivery-runner.js';
import { GiveUp } from '../../backbone/outcomes.js';
import { Script, ToySold, ToysModule } from '../../backbone/testing/toy-module.js';
import { ModuleStage } from '../testing/module-stage.js';

const HANDLERS = ['count', 'ring', 'wrap'] as const;

let stage: ModuleStage;
let script: Script;
let handled: string[];

beforeAll(async () => {
  stage = await ModuleStage.of(ToysModule);
  script = stage.app.get(Script, { strict: false });
});

afterAll(() => stage.close());

beforeEach(async () => {
  await stage.query('TRUNCATE backbone.event, backbone.delivery, backbone.operation');
  handled = [];
  for (const handler of HANDLERS) succeeds(handler);
});

const succeeds = (handler: (typeof HANDLERS)[number]) =>
  script.on(handler, async ({ data }) => void handled.push(`${handler} ${data.note}`));
const fails = (handler: (typeof HANDLERS)[number], message: (note: string) => string = (note) => `no ${note}`) =>
  script.on(handler, async ({ data }) => {
    throw new GiveUp(message(data.note));
  });
const publishSales = async (...notes: string[]): Promise<string> => {
  const toy = randomUUID();
  for (const note of notes) await stage.receive(ToySold({ toy, note }));
  return toy;
};
const list = async (path: string) => (await stage.get(`/v1/operations/${path}`)).body.items;
const idsOf = async (subscriber: string): Promise<string[]> =>
  (await list(`deliveries?subscriber=${subscriber}`)).map(({ id }: { id: string }) => id).toReversed();
const skip = (id: string | undefined, body: object = { reason: 'It was done by hand' }) =>
  stage.post(`/v1/operations/deliveries/${id}/skip`, body);
const release = (toy: string, subscriber = 'toys.ring') =>
  stage.post('/v1/operations/lines/release', { subscriber, subject: `toy/${toy}`, reason: 'The rest makes sense' });

describe('dead deliveries', () => {
  test('are grouped by cause and subscriber', async () => {
    fails('ring', (note) => `nobody at home in '${note}', maria@customer.example`);
    await publishSales('Berlin');
    await stage.runDeliveries();
    await publishSales('Paris');
    await stage.runDeliveries();
    fails('ring', () => 'the bell is broken');
    fails('wrap', () => 'the bell is broken');
    await publishSales('Rome');
    await stage.runDeliveries();

    const groups = await list('dead');

    const [first, second] = await list(`deliveries?subscriber=toys.ring&fingerprint=${groups[0].fingerprint}`);
    expect(groups).toEqual([
      {
        subscriber: 'toys.ring',
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        count: 2,
        firstSeen: second.finishedAt,
        lastSeen: first.finishedAt,
        example: { id: first.id, name: 'GiveUp', message: `nobody at home in 'Paris', ***@customer.example` },
      },
      {
        ...groups[1],
        subscriber: 'toys.ring',
        count: 1,
        example: { ...groups[1].example, message: 'the bell is broken' },
      },
      { ...groups[2], subscriber: 'toys.wrap', count: 1, fingerprint: groups[1].fingerprint },
    ]);
    expect(groups[0].fingerprint).not.toBe(groups[1].fingerprint);
  });

  test('are listed without a cause when an older build, or SQL by hand, has stored none', async () => {
    await publishSales('old');
    await stage.query(`UPDATE backbone.delivery SET state = 'dead' WHERE subscriber = 'toys.ring'`);

    expect(await list('dead')).toMatchObject([{ fingerprint: null, count: 1, example: { name: '', message: '' } }]);
  });

  test('leave their group when they are replayed or skipped', async () => {
    fails('ring');
    await publishSales('one');
    await publishSales('two');
    await stage.runDeliveries();
    const [one, two] = await idsOf('toys.ring');

    await stage.post('/v1/operations/deliveries/replay', { ids: [one] });
    expect(await list('dead')).toMatchObject([{ count: 1, example: { id: two } }]);
    await skip(two);
    expect(await list('dead')).toEqual([]);
  });
});

describe('a skip', () => {
  test('ends a dead delivery, lets the next one run, and is recorded in the audit', async () => {
    fails('ring');
    await publishSales('first', 'second');
    await stage.runDeliveries();
    succeeds('ring');
    const [first, second] = await idsOf('toys.ring');

    const { status, body } = await skip(first);

    expect([status, body]).toMatchObject([
      200,
      { id: first, state: 'skipped', attempts: 1, finishedAt: expect.any(String) },
    ]);
    await stage.runDeliveries();
    expect(await list('deliveries?subscriber=toys.ring&state=done')).toMatchObject([{ id: second }]);
    expect(await list('audit')).toEqual([
      {
        id: expect.any(String),
        action: 'skip-delivery',
        target: { id: first },
        reason: 'It was done by hand',
        actor: 'api',
        correlationId: expect.any(String),
        before: { state: 'dead', attempts: 1 },
        after: { state: 'skipped' },
        at: expect.stringMatching(/Z$/),
        finishedAt: expect.stringMatching(/Z$/),
      },
    ]);
  });

  test('ends a pending delivery, whose job then does nothing', async () => {
    await publishSales('bell');
    const [id] = await idsOf('toys.ring');
    const [job] = await stage.query<{ eventId: string; claims: number }>(
      `SELECT event_id AS "eventId", claims FROM backbone.delivery WHERE subscriber = 'toys.ring'`,
    );
    if (!job) throw new Error('there is no delivery');

    expect(await skip(id)).toMatchObject({ status: 200, body: { state: 'skipped', attempts: 0 } });
    await stage.app.get(DeliveryRunner).run({ ...job, subscriber: 'toys.ring' });

    expect(handled).toEqual([]);
    expect(await list('audit')).toMatchObject([{ before: { state: 'pending', attempts: 0 } }]);
  });

  test('ends a delivery whose lease has expired, and the late result of its worker is refused', async () => {
    await publishSales('bell');
    const [id] = await idsOf('toys.ring');
    script.on('ring', async () => {
      await stage.query(`UPDATE backbone.delivery SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL`);
      await skip(id);
    });
    await stage.runDeliveries();

    expect(await list('deliveries?subscriber=toys.ring')).toMatchObject([{ state: 'skipped', leaseUntil: null }]);
  });

  test('that is repeated does nothing', async () => {
    await publishSales('bell');
    const [id] = await idsOf('toys.ring');

    const [first, second] = [await skip(id), await skip(id, { reason: 'once more' })];

    expect(second.body).toEqual(first.body);
    expect(await list('audit')).toHaveLength(1);
  });

  test('is refused for a done, running or unknown delivery and for a malformed id, and changes nothing', async () => {
    await publishSales('bell');
    const [id] = await idsOf('toys.ring');
    let whileRunning: unknown;
    script.on('ring', async () => {
      whileRunning = await skip(id);
    });
    await stage.runDeliveries();

    expect(whileRunning).toMatchObject({
      status: 409,
      headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
      body: { code: 'delivery-being-handled' },
    });
    expect(await skip(id)).toMatchObject({ status: 409, body: { code: 'delivery-done' } });
    const unknown = await skip(`${randomUUID()}.toys.ring`);
    expect(unknown).toMatchObject({ status: 404, body: { code: 'delivery-not-found' } });
    for (const malformed of ['1', randomUUID(), 'x.toys.ring', `${randomUUID()}.toys`, `${randomUUID()}.toys.%00`])
      expect(await skip(malformed)).toMatchObject({ status: 400, body: { code: 'request-invalid' } });
    for (const body of [{}, { reason: '' }, { reason: 'a\nb' }, { reason: 'x'.repeat(501) }, { reason: 'x', id }])
      expect(await skip(id, body)).toMatchObject({ status: 400, body: { code: 'request-invalid' } });
    expect(await list('audit')).toEqual([]);
  });
});

describe('a partition behind a dead delivery', () => {
  test('is listed as parked with that delivery, unless the subscriber lets later deliveries pass', async () => {
    fails('ring');
    fails('wrap');
    const toy = await publishSales('first', 'second', 'third');
    await publishSales('alone');
    await stage.runDeliveries();
    const [first] = await idsOf('toys.ring');

    const [parked, ...others] = await list('parked');

    expect(others).toEqual([]);
    const [{ finishedAt, fingerprint }] = await list(`deliveries?subject=toy/${toy}&subscriber=toys.ring&state=dead`);
    expect(parked).toEqual({
      id: first,
      subscriber: 'toys.ring',
      subject: `toy/${toy}`,
      type: ToySold.type,
      deadSince: finishedAt,
      fingerprint,
      message: 'no first',
      waiting: 2,
    });
  });

  test('continues when it is released, and the dead delivery stays dead', async () => {
    fails('ring');
    const toy = await publishSales('first', 'second', 'third');
    await stage.runDeliveries();
    succeeds('ring');
    const [first] = await idsOf('toys.ring');
    handled = [];

    const answer = await release(toy);

    expect([answer.status, answer.body]).toEqual([
      200,
      { subscriber: 'toys.ring', subject: `toy/${toy}`, released: [first], waiting: 2 },
    ]);
    expect(await list('parked')).toEqual([]);
    await stage.runDeliveries();
    expect(handled).toEqual(['ring second', 'ring third']);
    expect(await list('deliveries?state=dead')).toMatchObject([{ id: first, releasedAt: expect.stringMatching(/Z$/) }]);
    expect(await list('audit')).toMatchObject([
      {
        action: 'release-line',
        target: { subscriber: 'toys.ring', subject: `toy/${toy}` },
        reason: 'The rest makes sense',
        before: { dead: 1, waiting: 2 },
        after: { released: 1 },
      },
    ]);
  });

  test('is parked again by a delivery that dies after the release, even by the same one', async () => {
    fails('ring');
    const toy = await publishSales('first', 'second', 'third');
    await stage.runDeliveries();
    await release(toy);
    await stage.runDeliveries();
    const [first, second] = await idsOf('toys.ring');

    expect(await list('parked')).toMatchObject([{ id: second, waiting: 1 }]);
    await stage.post('/v1/operations/deliveries/replay', { ids: [first] });
    await stage.runDeliveries();
    expect(await list('parked')).toMatchObject([
      { id: second, waiting: 1 },
      { id: first, waiting: 1 },
    ]);
  });

  test('is not released twice, and not without a dead delivery', async () => {
    fails('ring');
    const toy = await publishSales('first', 'second');
    await stage.runDeliveries();
    await release(toy);

    for (const answer of [await release(toy), await release(toy, 'toys.count'), await release('unknown')])
      expect(answer).toMatchObject({ status: 409, body: { code: 'line-not-parked' } });
    expect(await list('audit')).toHaveLength(1);
  });

  test('is in a list that is read page by page', async () => {
    fails('ring');
    for (let count = 0; count < 3; count += 1) await publishSales('first', 'second');
    await stage.runDeliveries();

    const first = (await stage.get('/v1/operations/parked?limit=2')).body;
    const second = (await stage.get(`/v1/operations/parked?limit=2&cursor=${first.nextCursor}`)).body;

    expect([first.items.length, second.items.length, second.nextCursor]).toEqual([2, 1, null]);
    expect([...first.items, ...second.items]).toEqual(await list('parked'));
    expect(await stage.get('/v1/operations/parked?cursor=no')).toMatchObject({ body: { code: 'cursor-invalid' } });
  });
});

test('the audit is read page by page, newest first', async () => {
  await publishSales('one', 'two', 'three');
  for (const id of await idsOf('toys.wrap')) await skip(id, { reason: `because of ${id}` });
  const whole = await list('audit');

  const first = (await stage.get('/v1/operations/audit?limit=2')).body;
  const second = (await stage.get(`/v1/operations/audit?limit=2&cursor=${first.nextCursor}`)).body;

  expect([...first.items, ...second.items]).toEqual(whole);
  expect(whole.map(({ target }: { target: { id: string } }) => target.id)).toEqual(
    (await idsOf('toys.wrap')).toReversed(),
  );
  expect(await stage.get('/v1/operations/audit?cursor=no')).toMatchObject({ body: { code: 'cursor-invalid' } });
});

describe('with workers', () => {
  let shop: ModuleStage;

  beforeAll(async () => {
    shop = await ModuleStage.of(ToysModule, { WORKERS: 'on' });
  });

  afterAll(() => shop.close());

  test.each([
    ['skip', (id: string) => [`deliveries/${id}/skip`, {}] as const],
    ['release', (_: string, subject: string) => ['lines/release', { subscriber: 'toys.ring', subject }] as const],
  ])(
    'a %s dispatches the next delivery at once',
    async (_, request) => {
      const toys = shop.app.get(Script, { strict: false });
      const toy = randomUUID();
      const rung = new Promise<string>((resolve) => {
        toys.on('ring', async ({ data }) => {
          if (data.note === 'first') throw new GiveUp('no first');
          resolve(data.note);
        });
      });
      await shop.receive(ToySold({ toy, note: 'first' }), ToySold({ toy, note: 'second' }));
      const find = () => shop.get(`/v1/operations/deliveries?subscriber=toys.ring&subject=toy/${toy}&state=dead`);
      let dead = (await find()).body.items;
      while (dead.length === 0) dead = (await find()).body.items;
      // From here on the relay does not find it overdue.
      await shop.query(`UPDATE backbone.delivery SET due_at = 'infinity' WHERE state = 'pending'`);

      const [path, body] = request(dead[0].id, `toy/${toy}`);
      const answer = await shop.post(`/v1/operations/${path}`, { ...body, reason: 'Continue' });

      expect(answer.status).toBe(200);
      expect(await rung).toBe('second');
    },
    30_000,
  );
});
