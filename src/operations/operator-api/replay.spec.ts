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
let heard: string[];

beforeAll(async () => {
  stage = await ModuleStage.of(ToysModule);
  script = stage.app.get(Script, { strict: false });
});

afterAll(() => stage.close());

beforeEach(async () => {
  await stage.query('TRUNCATE backbone.event, backbone.delivery, backbone.paused_subscriber, backbone.operation');
  heard = [];
  for (const handler of ['count', 'ring', 'wrap'] as const)
    script.on(handler, async ({ data }) => void heard.push(`${handler} ${data.note}`));
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
const only = async (subscriber: string): Promise<Row> => {
  const [row, ...others] = await rows(subscriber);
  if (!row || others.length > 0) throw new Error(`${subscriber} has ${others.length} deliveries too many`);
  return row;
};
const everything = async () =>
  JSON.stringify([await stage.query('TABLE backbone.event'), await stage.query('TABLE backbone.delivery')]);

const sold = async (...notes: string[]): Promise<string> => {
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

/** What the preview says, and then what the same request without it does: always the same. */
async function previewed(body: object): Promise<{ preview: boolean }> {
  const before = await everything();
  const preview = await replay({ ...body, preview: true });
  expect(await everything()).toBe(before);
  const { preview: isPreview, ...done } = await replay({ ...body, preview: false });
  expect([preview, isPreview]).toEqual([{ preview: true, ...done }, false]);
  return done;
}

describe('a replay', () => {
  test.each(['dead', 'skipped'])(
    'has a %s delivery run with all its attempts, and keeps its history',
    async (state) => {
      await sold('bell');
      fails('ring');
      await stage.runDeliveries();
      const { id } = await only('toys.ring');
      if (state === 'skipped') await stage.post(`/v1/operations/deliveries/${id}/skip`, { reason: 'by mistake' });
      expect((await only('toys.ring')).state).toBe(state);

      const done = await previewed({ ids: [id], reason: 'The bell is mended' });

      expect(done).toEqual({ ...NOTHING, considered: 1, run: 1, sideEffects: 1, ids: [id] });
      expect(await only('toys.ring')).toMatchObject({ state: 'pending', attempts: 0, isDue: true });
      script.on('ring', async () => undefined);
      await stage.runDeliveries();
      const { attempts, errors } = await only('toys.ring');
      expect([attempts, errors]).toMatchObject([1, [{ attempt: 1, message: 'no bell' }]]);
      const { body } = await stage.get('/v1/operations/deliveries?subscriber=toys.ring');
      expect(body.items).toMatchObject([{ state: 'done', fingerprint: null, releasedAt: null }]);
    },
  );

  test('of dead ones of one subject has them run as things happened, whichever of them a queue gives first', async () => {
    await sold('one', 'two');
    fails('wrap');
    await stage.runDeliveries();
    script.on('wrap', async ({ data }) => void heard.push(`wrap ${data.note}`));
    heard = [];

    await replay({ filter: { state: 'dead' }, preview: false, reason: 'There is paper again' });
    const due = await stage.app.get(Deliveries).takeOverdue(['toys.wrap'], 10);
    const [one] = await rows('toys.wrap');
    const last = due.filter(({ eventId }) => !one?.id.startsWith(eventId));
    for (const each of [...last, ...due, ...last]) await stage.app.get(DeliveryRunner).run(each);

    expect(heard).toEqual(['wrap one', 'wrap two']);
  });

  test('has what waits for its pause run now, and passes over the job that would have ended it', async () => {
    await sold('bell');
    script.on('ring', async () => {
      throw new Error('not yet');
    });
    await stage.runDeliveries();
    await stage.query(`UPDATE backbone.delivery SET due_at = clock_timestamp() + interval '1 hour'`);
    const [job] = await stage.query<{ claims: number }>(`SELECT claims FROM backbone.delivery WHERE state = 'pending'`);

    await previewed({ filter: { state: 'pending' } });

    expect(await only('toys.ring')).toMatchObject({ state: 'pending', attempts: 1, isDue: true });
    const found = await stage.app.get(Deliveries).takeOverdue(['toys.ring'], 10);
    expect(found).toMatchObject([{ subscriber: 'toys.ring', claims: Number(job?.claims) + 1 }]);
  });

  test('leaves alone what is done, being handled, paused, of nobody or not there, and says so', async () => {
    const unknown = `${randomUUID()}.toys.ring`;
    await sold('one');
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

  test('takes up a delivery whose process died, and the one that stalled with it books nothing', async () => {
    await sold('bell');
    script.on('ring', async () => {
      await stage.query(`UPDATE backbone.delivery SET lease_until = clock_timestamp() - interval '1 second'
                        WHERE lease_until IS NOT NULL`);
      await replay({ filter: { subscriber: 'toys.ring' } });
    });
    await stage.runDeliveries();

    expect(await only('toys.ring')).toMatchObject({ state: 'pending', attempts: 1, isDue: true });
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
  ])('means %s by its filter', async (_, filter, matched) => {
    fails('ring', 'wrap');
    for (const toy of ['train', 'ball']) await stage.receive(ToySold({ toy }));
    await stage.runDeliveries();
    await stage.query(`UPDATE backbone.delivery SET fingerprint = 'of ring' WHERE subscriber = 'toys.ring'`);
    await stage.query('ALTER TABLE backbone.event DISABLE TRIGGER USER');
    await stage.query(`UPDATE backbone.event SET occurred_at = '2026-01-01T08:30:00Z' WHERE subject = 'toy/train'`);

    const done = await previewed({ filter });

    const count = matched.filter((name) => name === 'count').length;
    expect(done).toMatchObject({ considered: matched.length, run: matched.length - count });
    const pending = (await rows()).filter(({ state }) => state === 'pending').map(({ subscriber }) => subscriber);
    expect(pending.toSorted()).toEqual(matched.filter((name) => name !== 'count').map((name) => `toys.${name}`));
  });

  test('says which subjects stay parked, and behind which dead delivery', async () => {
    fails('ring');
    const toy = await sold('first');
    await stage.runDeliveries();
    const { id: behind } = await only('toys.ring');
    for (const note of ['second', 'third']) await stage.receive(ToySold({ toy, note }));
    const parked = { behind, subscriber: 'toys.ring', subject: `toy/${toy}`, waiting: 2 };

    expect(await previewed({ filter: { state: 'pending', subscriber: 'toys.ring' } })).toMatchObject({
      run: 2,
      parked: [parked],
    });
    expect(await replay({ filter: { subscriber: 'toys.ring' }, preview: true })).toMatchObject({ run: 3, parked: [] });
  });

  test('counts nobody as parked who may pass, and whoever is behind one that a pause keeps dead', async () => {
    const toy = await sold('first', 'second');
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

  test('is one entry of the audit, however many batches it takes', async () => {
    const toy = randomUUID();
    await stage.receive(...Array.from({ length: 1_201 }, () => ToySold({ toy })));
    await stage.query(`UPDATE backbone.delivery SET state = 'dead' WHERE subscriber = 'toys.ring'`);
    const filter = { state: 'dead', subscriber: 'toys.ring' };

    const done = await previewed({ filter, reason: 'The bells are back' });

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

  test('that breaks off in the middle says how far it came, and the same request does the rest', async () => {
    const toy = randomUUID();
    await stage.receive(...Array.from({ length: 1_201 }, () => ToySold({ toy })));
    await stage.query(`UPDATE backbone.delivery SET state = 'dead' WHERE subscriber = 'toys.ring'`);
    await stage.query(`
      CREATE FUNCTION backbone.break_off() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF (SELECT count(*) FROM backbone.delivery WHERE subscriber = 'toys.ring' AND state = 'pending') >= 1000
        THEN RAISE EXCEPTION 'the power is gone'; END IF;
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
    ['an id that is none', { ids: ['1.toys.ring'] }],
    ['an id without its subscriber', { ids: [randomUUID()] }],
    ['too many ids', { ids: Array.from({ length: 501 }, () => `${randomUUID()}.toys.ring`) }],
    ['a state that there is not', { filter: { state: 'lost' } }],
    ['a time that is none', { filter: { after: 'yesterday' } }],
    ['a field that is not known', { filter: { colour: 'red' } }],
    ['a reason of two lines', { filter: {}, reason: 'one\ntwo' }],
    ['a reason that is too long', { filter: {}, reason: 'x'.repeat(501) }],
    ['no reason in it', { filter: {}, reason: ' ' }],
    ['a preview that is neither', { filter: {}, preview: 'yes' }],
  ])('is refused with %s', async (_, body) => {
    const answer = await stage.post('/v1/operations/deliveries/replay', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'request-invalid' } });
    expect(await audit()).toEqual([]);
  });
});

describe('a replay for a subscriber', () => {
  test('that is new has it hear of everything, in the order of the log', async () => {
    const toy = await sold('one', 'two', 'three');
    await stage.receive(ToyMade({ toy }));
    await stage.runDeliveries();
    await stage.query(`DELETE FROM backbone.delivery WHERE subscriber = 'toys.ring'`);
    heard = [];

    const preview = await replayFor('toys.ring', { preview: true });
    expect(await rows('toys.ring')).toEqual([]);
    const done = await replayFor('toys.ring', { reason: 'It is new' });

    const ids = (await rows('toys.ring')).map(({ id }) => id);
    expect(done).toEqual({ preview: false, ...NOTHING, considered: 3, run: 3, sideEffects: 3, ids });
    expect(preview).toEqual({ ...done, preview: true });
    expect(await stage.runDeliveries()).toBe(3);
    expect(heard).toEqual(['ring one', 'ring two', 'ring three']);
    expect(await audit()).toMatchObject([
      {
        action: 'replay-subscription',
        target: { subscriber: 'toys.ring' },
        before: { missing: 3 },
        after: { pending: 3 },
      },
    ]);
  });

  test('goes through a log of any length', async () => {
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

  test('takes up what it has not done, and suppresses what it has', async () => {
    await sold('done');
    await stage.runDeliveries();
    fails('ring');
    await sold('dead');
    await stage.runDeliveries();
    await sold('waiting');
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

  test('suppresses what ran in the transaction of its event, and catches up with the rest', async () => {
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

  test('says behind which dead delivery of its line it will wait', async () => {
    const toy = await sold('first', 'second');
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

  test('of a pause does nothing', async () => {
    await sold('bell');
    await stage.post('/v1/operations/subscriptions/toys.ring/pause', { reason: 'bells are being cast' });

    expect(await replayFor('toys.ring')).toMatchObject({ run: 0, suppressed: [{ reason: 'paused', count: 1 }] });
  });

  test('that there is not is refused', async () => {
    const answer = await stage.post('/v1/operations/subscriptions/toys.nobody/replay', { reason: 'who?' });
    expect(answer).toMatchObject({ status: 404, body: { code: 'subscription-not-found' } });
  });
});

test('replays in the midst of deliveries let nothing happen twice', async () => {
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

test('the whole history replayed twice changes nothing', async () => {
  await sold('one', 'two');
  await stage.receive(ToyMade({ toy: 'three' }));
  await stage.runDeliveries();
  const before = await everything();
  const effects = [...heard];

  for (const time of ['first', 'second']) {
    expect(await replay({ filter: {}, reason: time })).toMatchObject({ considered: 6, run: 0 });
    for (const { name } of stage.app.get(Subscriptions).all) expect(await replayFor(name)).toMatchObject({ run: 0 });
    expect(await stage.runDeliveries()).toBe(0);
  }

  expect(await everything()).toBe(before);
  expect(heard).toEqual(effects);
});
