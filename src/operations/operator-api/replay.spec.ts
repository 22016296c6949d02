import { randomUUID } from 'node:crypto';
import { Deliveries } from '../../backbone/delivery/deliveries.js';
import { DeliveryRunner } from '../../backbone/delivery/delivery-runner.js';
import { GiveUp } from '../../backbone/outcomes.js';
import { Subscriptions } from '../../backbone/registry/subscriptions.js';
import { Script, ToyMade, ToySold, ToysModule } from '../../backbone/testing/toy-module.js';
import { ModuleStage } from '../testing/module-stage.js';

const NOTHING = { considered: 0, run: 0, suppressed: [], sideEffects: 0, parked: [], ids: [] };

interface Row {
  readonly id: string;
  readonly subscriber: string;
  readonly state: string;
  readonly attempts: number;
  readonly errors: readonly { readonly attempt: number; readonly message: string }[];
  readonly isDue: boolean;
}

let stage: ModuleStage;
let script: Script;
let handled: string[];

beforeAll(async () => {
  stage = await ModuleStage.of(ToysModule);
  script = stage.app.get(Script, { strict: false });
});

afterAll(() => stage.close());

beforeEach(async () => {
  await stage.query('TRUNCATE backbone.event, backbone.delivery, backbone.paused_subscriber, backbone.operation');
  handled = [];
  for (const handler of ['count', 'ring', 'wrap'] as const)
    script.on(handler, async ({ data }) => void handled.push(`${handler} ${data.note}`));
});

const replay = async (body: object) => (await stage.post('/v1/operations/deliveries/replay', body)).body;
const replayFor = async (name: string, body: object = {}) =>
  (await stage.post(`/v1/operations/subscriptions/${name}/replay`, body)).body;
const audit = async () => (await stage.get('/v1/operations/audit')).body.items;

const rows = (filter = '') =>
  stage.query<Row>(
    `SELECT d.event_id || '.' || d.subscriber AS id, d.subscriber, d.state, d.attempts, d.errors,
            d.due_at <= clock_timestamp() AS "isDue"
       FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id
      WHERE d.subscriber LIKE $1 OR e.subject LIKE $1 ORDER BY d.position, d.subscriber`,
    [`%${filter}`],
  );
const onlyDeliveryOf = async (subscriber: string): Promise<Row> => {
  const [row, ...others] = await rows(subscriber);
  if (!row || others.length > 0) throw new Error(`${subscriber} has ${others.length} deliveries too many`);
  return row;
};
const allRows = async () =>
  JSON.stringify([await stage.query('TABLE backbone.event'), await stage.query('TABLE backbone.delivery')]);

const publishSales = async (...notes: string[]): Promise<string> => {
  const toy = randomUUID();
  for (const note of notes) await stage.receive(ToySold({ toy, note }));
  return toy;
};
const fails = (...handlers: ('count' | 'ring' | 'wrap')[]) => {
  for (const handler of handlers)
    script.on(handler, async ({ data }) => {
      throw new GiveUp(`no ${data.note}`);
    });
};

/** Sends the request as a preview and then for real, and asserts that both have the same result. */
async function replayAfterPreview(body: object): Promise<{ preview: boolean }> {
  const before = await allRows();
  const preview = await replay({ ...body, preview: true });
  expect(await allRows()).toBe(before);
  const { preview: isPreview, ...done } = await replay({ ...body, preview: false });
  expect([preview, isPreview]).toEqual([{ preview: true, ...done }, false]);
  return done;
}

describe('a replay', () => {
  test.each(['dead', 'skipped'])(
    'makes a %s delivery pending with all its attempts, and keeps its errors',
    async (state) => {
      await publishSales('bell');
      fails('ring');
      await stage.runDeliveries();
      const { id } = await onlyDeliveryOf('toys.ring');
      if (state === 'skipped') await stage.post(`/v1/operations/deliveries/${id}/skip`, { reason: 'by mistake' });
      expect((await onlyDeliveryOf('toys.ring')).state).toBe(state);

      const done = await replayAfterPreview({ ids: [id], reason: 'The bell is mended' });

      expect(done).toEqual({ ...NOTHING, considered: 1, run: 1, sideEffects: 1, ids: [id] });
      expect(await onlyDeliveryOf('toys.ring')).toMatchObject({ state: 'pending', attempts: 0, isDue: true });
      script.on('ring', async () => undefined);
      await stage.runDeliveries();
      const { attempts, errors } = await onlyDeliveryOf('toys.ring');
      expect([attempts, errors]).toMatchObject([1, [{ attempt: 1, message: 'no bell' }]]);
      const { body } = await stage.get('/v1/operations/deliveries?subscriber=toys.ring');
      expect(body.items).toMatchObject([{ state: 'done', fingerprint: null, releasedAt: null }]);
    },
  );

  test('runs the dead deliveries of one subject in the sequence of their events, whichever job comes first', async () => {
    await publishSales('one', 'two');
    fails('wrap');
    await stage.runDeliveries();
    script.on('wrap', async ({ data }) => void handled.push(`wrap ${data.note}`));
    handled = [];

    await replay({ filter: { state: 'dead' }, preview: false, reason: 'There is paper again' });
    const due = await stage.app.get(Deliveries).takeOverdue(['toys.wrap'], 10);
    const [one] = await rows('toys.wrap');
    const last = due.filter(({ eventId }) => !one?.id.startsWith(eventId));
    for (const each of [...last, ...due, ...last]) await stage.app.get(DeliveryRunner).run(each);

    expect(handled).toEqual(['wrap one', 'wrap two']);
  });

  test('makes a delivery that waits for a retry due now, and its old job does nothing', async () => {
    await publishSales('bell');
    script.on('ring', async () => {
      throw new Error('not yet');
    });
    await stage.runDeliveries();
    await stage.query(`UPDATE backbone.delivery SET due_at = clock_timestamp() + interval '1 hour'`);
    const [job] = await stage.query<{ claims: number }>(`SELECT claims FROM backbone.delivery WHERE state = 'pending'`);

    await replayAfterPreview({ filter: { state: 'pending' } });

    expect(await onlyDeliveryOf('toys.ring')).toMatchObject({ state: 'pending', attempts: 1, isDue: true });
    const found = await stage.app.get(Deliveries).takeOverdue(['toys.ring'], 10);
    expect(found).toMatchObject([{ subscriber: 'toys.ring', claims: Number(job?.claims) + 1 }]);
  });

  test('does not change what is done, being handled, paused, unknown or not found, and counts it by reason', async () => {
    const unknown = `${randomUUID()}.toys.ring`;
    await publishSales('one');
    await stage.runDeliveries();
    const ids = [...(await rows()).map(({ id }) => id), unknown];
    const answers: object[] = [await replay({ ids })];
    const set = (subscriber: string, to: string) =>
      stage.query(`UPDATE backbone.delivery SET ${to} WHERE subscriber = $1`, [subscriber]);
    await set('toys.count', `state = 'pending', lease_until = clock_timestamp() + interval '1 minute'`);
    await set('toys.ring', `state = 'dead'`);
    await stage.post('/v1/operations/subscriptions/toys.ring/pause', { reason: 'bells are being cast' });
    await set('toys.wrap', `state = 'skipped', subscriber = 'toys.pack'`);
    answers.push(await replay({ ids: ids.map((id) => id.replace('wrap', 'pack')) }));

    expect(answers).toEqual([
      {
        preview: false,
        ...NOTHING,
        considered: 4,
        suppressed: [
          { reason: 'done', count: 3 },
          { reason: 'not-found', count: 1 },
        ],
      },
      {
        preview: false,
        ...NOTHING,
        considered: 4,
        suppressed: ['being-handled', 'paused', 'unknown-subscriber', 'not-found'].map((reason) => ({
          reason,
          count: 1,
        })),
      },
    ]);
    expect((await rows()).map(({ state }) => state).toSorted()).toEqual(['dead', 'pending', 'skipped']);
  });

  test('makes a delivery with an expired lease due, and the late result of its worker is refused', async () => {
    await publishSales('bell');
    script.on('ring', async () => {
      await stage.query(`UPDATE backbone.delivery SET lease_until = clock_timestamp() - interval '1 second'
                        WHERE lease_until IS NOT NULL`);
      await replay({ filter: { subscriber: 'toys.ring' } });
    });
    await stage.runDeliveries();

    expect(await onlyDeliveryOf('toys.ring')).toMatchObject({ state: 'pending', attempts: 1, isDue: true });
  });

  test.each<[what: string, filter: object, matched: readonly string[]]>([
    ['everything', {}, ['count', 'count', 'ring', 'ring', 'wrap', 'wrap']],
    ['a state', { state: 'dead' }, ['ring', 'ring', 'wrap', 'wrap']],
    ['a subscriber', { subscriber: 'toys.ring' }, ['ring', 'ring']],
    ['a subject', { subject: 'toy/train' }, ['count', 'ring', 'wrap']],
    ['a type', { type: ToyMade.type }, []],
    ['a group', { fingerprint: 'of ring' }, ['ring', 'ring']],
    ['a time', { after: '2026-01-01T08:00:00Z', before: '2026-01-01T10:00:00+01:00' }, ['count', 'ring', 'wrap']],
    ['all of that', { state: 'dead', subscriber: 'toys.wrap', subject: 'toy/train', type: ToySold.type }, ['wrap']],
  ])('selects by its filter: %s', async (_, filter, matched) => {
    fails('ring', 'wrap');
    for (const toy of ['train', 'ball']) await stage.receive(ToySold({ toy }));
    await stage.runDeliveries();
    await stage.query(`UPDATE backbone.delivery SET fingerprint = 'of ring' WHERE subscriber = 'toys.ring'`);
    await stage.query('ALTER TABLE backbone.event DISABLE TRIGGER USER');
    await stage.query(`UPDATE backbone.event SET occurred_at = '2026-01-01T08:30:00Z' WHERE subject = 'toy/train'`);

    const done = await replayAfterPreview({ filter });

    const count = matched.filter((name) => name === 'count').length;
    expect(done).toMatchObject({ considered: matched.length, run: matched.length - count });
    const pending = (await rows()).filter(({ state }) => state === 'pending').map(({ subscriber }) => subscriber);
    expect(pending.toSorted()).toEqual(matched.filter((name) => name !== 'count').map((name) => `toys.${name}`));
  });

  test('reports which partitions stay parked, and behind which dead delivery', async () => {
    fails('ring');
    const toy = await publishSales('first');
    await stage.runDeliveries();
    const { id: behind } = await onlyDeliveryOf('toys.ring');
    for (const note of ['second', 'third']) await stage.receive(ToySold({ toy, note }));
    const parked = { behind, subscriber: 'toys.ring', subject: `toy/${toy}`, waiting: 2 };

    expect(await replayAfterPreview({ filter: { state: 'pending', subscriber: 'toys.ring' } })).toMatchObject({
      run: 2,
      parked: [parked],
    });
    expect(await replay({ filter: { subscriber: 'toys.ring' }, preview: true })).toMatchObject({ run: 3, parked: [] });
  });

  test('counts as parked what is behind a dead delivery of a paused subscriber, unless it may pass', async () => {
    const toy = await publishSales('first', 'second');
    await stage.query(`UPDATE backbone.delivery SET state = 'dead'
                      WHERE position = (SELECT min(position) FROM backbone.event) AND subscriber <> 'toys.ring'`);
    const [first] = await rows('toys.count');
    await stage.query(
      `UPDATE backbone.delivery SET subscriber = 'toys.sell' WHERE event_id || '.' || subscriber = $1`,
      [first?.id],
    );
    await stage.post('/v1/operations/subscriptions/toys.sell/pause', { reason: 'the shop is shut' });

    const behind = first?.id.replace('count', 'sell');
    expect(await replay({ filter: { state: 'pending' }, preview: true })).toMatchObject({
      parked: [{ behind, subject: `toy/${toy}`, waiting: 1 }],
    });
    expect(await replay({ filter: { subject: `toy/${toy}` }, preview: true })).toMatchObject({ parked: [{ behind }] });
  });

  test('is one entry of the audit, whatever the number of batches', async () => {
    const toy = randomUUID();
    await stage.receive(...Array.from({ length: 1_201 }, () => ToySold({ toy })));
    await stage.query(`UPDATE backbone.delivery SET state = 'dead' WHERE subscriber = 'toys.ring'`);
    const filter = { state: 'dead', subscriber: 'toys.ring' };

    const done = await replayAfterPreview({ filter, reason: 'The bells are back' });

    expect(done).toMatchObject({ considered: 1_201, run: 1_201, sideEffects: 1_201, parked: [] });
    expect(await audit()).toEqual([
      {
        id: expect.any(String),
        action: 'replay-deliveries',
        target: filter,
        reason: 'The bells are back',
        actor: 'api',
        correlationId: expect.any(String),
        before: { dead: 1_201 },
        after: { pending: 1_201 },
        at: expect.stringMatching(/Z$/),
        finishedAt: expect.stringMatching(/Z$/),
      },
    ]);
  });

  test('that breaks off keeps its progress in the audit, and a repeated request does the rest', async () => {
    const toy = randomUUID();
    await stage.receive(...Array.from({ length: 1_201 }, () => ToySold({ toy })));
    await stage.query(`UPDATE backbone.delivery SET state = 'dead' WHERE subscriber = 'toys.ring'`);
    await stage.query(`
      CREATE FUNCTION backbone.break_off() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF (SELECT count(*) FROM backbone.delivery WHERE subscriber = 'toys.ring' AND state = 'pending') >= 1000
        THEN RAISE EXCEPTION 'power failure'; END IF;
        RETURN NULL;
      END $$`);
    await stage.query(`CREATE TRIGGER break_off AFTER UPDATE ON backbone.delivery
      FOR EACH STATEMENT EXECUTE FUNCTION backbone.break_off()`);
    const request = { filter: { subscriber: 'toys.ring', state: 'dead' } };

    expect((await stage.post('/v1/operations/deliveries/replay', request)).status).toBe(500);
    await stage.query('DROP FUNCTION backbone.break_off CASCADE');
    const rest = await replay(request);

    expect(rest).toMatchObject({ considered: 701, run: 701 });
    expect(await audit()).toMatchObject([
      { before: { dead: 701 }, after: { pending: 701 }, finishedAt: expect.any(String) },
      { before: { dead: 500 }, after: { pending: 500 }, finishedAt: null },
    ]);
  });

  test.each<[what: string, body: object]>([
    ['neither ids nor a filter', {}],
    ['both', { ids: [`${randomUUID()}.toys.ring`], filter: {} }],
    ['no ids', { ids: [] }],
    ['a malformed id', { ids: ['1.toys.ring'] }],
    ['an id without its subscriber', { ids: [randomUUID()] }],
    ['too many ids', { ids: Array.from({ length: 501 }, () => `${randomUUID()}.toys.ring`) }],
    ['an unknown state', { filter: { state: 'lost' } }],
    ['a malformed time', { filter: { after: 'yesterday' } }],
    ['an unknown field', { filter: { colour: 'red' } }],
    ['a reason of two lines', { filter: {}, reason: 'one\ntwo' }],
    ['a reason that is too long', { filter: {}, reason: 'x'.repeat(501) }],
    ['a blank reason', { filter: {}, reason: ' ' }],
    ['a preview that is no boolean', { filter: {}, preview: 'yes' }],
  ])('is refused with %s', async (_, body) => {
    const answer = await stage.post('/v1/operations/deliveries/replay', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'request-invalid' } });
    expect(await audit()).toEqual([]);
  });
});

describe('a replay for a subscriber', () => {
  test('that is new delivers all events to it, in the sequence of the log', async () => {
    const toy = await publishSales('one', 'two', 'three');
    await stage.receive(ToyMade({ toy }));
    await stage.runDeliveries();
    await stage.query(`DELETE FROM backbone.delivery WHERE subscriber = 'toys.ring'`);
    handled = [];

    const preview = await replayFor('toys.ring', { preview: true });
    expect(await rows('toys.ring')).toEqual([]);
    const done = await replayFor('toys.ring', { reason: 'It is new' });

    const ids = (await rows('toys.ring')).map(({ id }) => id);
    expect(done).toEqual({ preview: false, ...NOTHING, considered: 3, run: 3, sideEffects: 3, ids });
    expect(preview).toEqual({ ...done, preview: true });
    expect(await stage.runDeliveries()).toBe(3);
    expect(handled).toEqual(['ring one', 'ring two', 'ring three']);
    expect(await audit()).toMatchObject([
      {
        action: 'replay-subscription',
        target: { subscriber: 'toys.ring' },
        before: { missing: 3 },
        after: { pending: 3 },
      },
    ]);
  });

  test('reads a log of any length', async () => {
    await stage.receive(...Array.from({ length: 1_201 }, (_, nr) => ToySold({ toy: `toy ${nr % 7}` })));
    await stage.query('DELETE FROM backbone.delivery');
    // As if there had been thousands of other events in between.
    await stage.query('ALTER TABLE backbone.event DISABLE TRIGGER USER');
    await stage.query('ALTER TABLE backbone.event ALTER position SET GENERATED BY DEFAULT');
    const [last] = await stage.query<{ id: string }>('SELECT id FROM backbone.event ORDER BY position DESC LIMIT 1');
    await stage.query('UPDATE backbone.event SET position = position + 55000 WHERE id = $1', [last?.id]);

    expect(await replayFor('toys.count')).toMatchObject({ considered: 1_201, run: 1_201, parked: [] });

    expect(await replayFor('toys.count', { preview: true })).toMatchObject({ considered: 1_201, run: 1_201 });
    expect((await rows('toys.count')).at(-1)?.id).toBe(`${last?.id}.toys.count`);
  });

  test('makes unfinished deliveries due, and suppresses finished ones', async () => {
    await publishSales('done');
    await stage.runDeliveries();
    fails('ring');
    await publishSales('dead');
    await stage.runDeliveries();
    await publishSales('waiting');
    const [done, dead, waiting] = await rows('toys.ring');

    expect(await replayFor('toys.ring')).toEqual({
      preview: false,
      considered: 3,
      run: 2,
      suppressed: [{ reason: 'done', count: 1 }],
      sideEffects: 2,
      parked: [],
      ids: [dead?.id, waiting?.id],
    });
    expect((await rows('toys.ring')).map(({ id, state }) => [id, state])).toEqual([
      [done?.id, 'done'],
      [dead?.id, 'pending'],
      [waiting?.id, 'pending'],
    ]);
  });

  test('suppresses events whose reaction ran in their transaction, and delivers the others', async () => {
    await stage.receive(ToyMade({ toy: 'here' }));
    await stage.receiveAsDeliveries(ToyMade({ toy: 'afar' }));
    await stage.query('DELETE FROM backbone.delivery');
    const painted: string[] = [];
    script.on('paint', async ({ data }) => void painted.push(data.toy));

    const answer = await replayFor('toys.paint');
    await stage.runDeliveries();

    expect(answer).toMatchObject({ run: 1, suppressed: [{ reason: 'ran-in-transaction', count: 1 }], sideEffects: 0 });
    expect(painted).toEqual(['afar']);
    expect(await replayFor('toys.paint')).toMatchObject({
      run: 0,
      suppressed: [
        { reason: 'done', count: 1 },
        { reason: 'ran-in-transaction', count: 1 },
      ],
    });
  });

  test('reports the dead delivery behind which a partition waits', async () => {
    const toy = await publishSales('first', 'second');
    const [first] = await rows('toys.count');
    await stage.query(
      `UPDATE backbone.delivery SET subscriber = 'toys.sell', state = 'dead' WHERE event_id || '.' || subscriber = $1`,
      [first?.id],
    );

    expect(await replayFor('toys.count', { preview: true })).toMatchObject({
      run: 2,
      parked: [{ behind: first?.id.replace('count', 'sell'), subject: `toy/${toy}`, waiting: 1 }],
    });
  });

  test('that is paused does nothing', async () => {
    await publishSales('bell');
    await stage.post('/v1/operations/subscriptions/toys.ring/pause', { reason: 'bells are being cast' });

    expect(await replayFor('toys.ring')).toMatchObject({ run: 0, suppressed: [{ reason: 'paused', count: 1 }] });
  });

  test('that is unknown is refused', async () => {
    const answer = await stage.post('/v1/operations/subscriptions/toys.nobody/replay', { reason: 'who?' });
    expect(answer).toMatchObject({ status: 404, body: { code: 'subscription-not-found' } });
  });
});

test('replays during running deliveries cause no effect twice', async () => {
  await stage.query('CREATE TABLE toys.sale (toy text NOT NULL)');
  script.on('count', async ({ data }, tx) => {
    if ('manager' in tx) await tx.manager.query('INSERT INTO toys.sale VALUES ($1)', [data.toy]);
    if (Math.random() < 0.3) throw new GiveUp('the till is jammed');
  });
  await stage.receive(...Array.from({ length: 40 }, (_, nr) => ToySold({ toy: String(nr) })));
  const unfinished = async () => (await rows('toys.count')).filter(({ state }) => state !== 'done');
  const runner = stage.app.get(DeliveryRunner);
  const work = async () => {
    while ((await unfinished()).length > 0)
      for (const ref of await stage.app.get(Deliveries).takeOverdue(['toys.count'], 5)) await runner.run(ref);
  };
  const operate = async () => {
    while ((await unfinished()).length > 0) await Promise.all([replay({ filter: {} }), replayFor('toys.count')]);
  };

  await Promise.all([work(), work(), operate()]);

  expect(await stage.query('SELECT toy FROM toys.sale GROUP BY toy HAVING count(*) <> 1')).toEqual([]);
  expect(await stage.query('SELECT FROM toys.sale')).toHaveLength(40);
});

test('a replay of the whole history changes nothing, however often it is repeated', async () => {
  await publishSales('one', 'two');
  await stage.receive(ToyMade({ toy: 'three' }));
  await stage.runDeliveries();
  const before = await allRows();
  const effects = [...handled];

  for (const time of ['first', 'second']) {
    expect(await replay({ filter: {}, reason: time })).toMatchObject({ considered: 6, run: 0 });
    for (const { name } of stage.app.get(Subscriptions).all) expect(await replayFor(name)).toMatchObject({ run: 0 });
    expect(await stage.runDeliveries()).toBe(0);
  }

  expect(await allRows()).toBe(before);
  expect(handled).toEqual(effects);
});
