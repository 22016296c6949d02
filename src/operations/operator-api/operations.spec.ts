import { randomUUID } from 'node:crypto';
import { BusinessModule } from '../../backbone/business-module.js';
import type { DeliveryState } from '../../backbone/delivery.js';
import type { Fact } from '../../backbone/domain-event.js';
import { GiveUp } from '../../backbone/outcomes.js';
import {
  Script,
  ToyForgotten,
  ToyMade,
  ToyPainted,
  ToySold,
  ToysModule,
  Workshop,
} from '../../backbone/testing/toy-module.js';
import { runInContext } from '../../common/context/context.js';
import { ModuleStage } from '../testing/module-stage.js';
import { Timeline, type TimelineEntry, type TimelineSource } from '../timeline.js';

let stage: ModuleStage;
let script: Script;

beforeAll(async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
  script = stage.app.get(Script, { strict: false });
});

afterAll(() => stage.close());

afterEach(() => {
  for (const handler of ['paint', 'sell', 'count', 'ring', 'wrap'] as const) script.on(handler, async () => undefined);
});

interface Entry {
  readonly type: string;
  readonly position: number;
}

/** Publishes facts in one transaction, as a request with this correlation id does. */
const publishIn = (correlationId: string, ...facts: readonly Fact[]): Promise<void> =>
  runInContext({ correlationId, causationId: null, actor: 'api' }, () =>
    stage.app.get(Workshop, { strict: false }).transactions.run(async (tx) => {
      for (const fact of facts) tx.publish(fact);
    }),
  );

/** Reads all pages of a list, and calls `between` after each page. */
async function pagesOf<Item>(url: string, between: () => Promise<unknown> = async () => undefined): Promise<Item[][]> {
  const pages: Item[][] = [];
  for (let cursor = ''; ; await between()) {
    const { body } = await stage.get(`${url}${cursor}`);
    pages.push(body.items);
    if (body.nextCursor === null) return pages;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

describe('the event log', () => {
  const find = async (query: string) => (await stage.get(`/v1/events?${query}`)).body.items;
  const typesOf = (items: readonly Entry[]) => items.map(({ type }) => type);

  test('shows events with subject, time, cause and actor', async () => {
    const toy = randomUUID();
    await publishIn('a-request', ToyForgotten({ toy, note: 'under the bed' }));

    const [event, ...others] = await find(`subject=toy/${toy}`);

    expect(others).toEqual([]);
    expect(event).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      type: 'toys.toy-forgotten.v1',
      subject: `toy/${toy}`,
      version: 1,
      position: expect.any(Number),
      occurredAt: expect.stringMatching(/Z$/),
      correlationId: 'a-request',
      causationId: null,
      actor: 'api',
      data: { toy, note: 'under the bed' },
    });
  });

  test('is filtered by subject, by type, by correlation id and by all of them, newest first', async () => {
    const [toy, other, request] = [randomUUID(), randomUUID(), randomUUID()];
    await publishIn(request, ToyMade({ toy }), ToyPainted({ toy }), ToyMade({ toy: other }));
    await publishIn(randomUUID(), ToyMade({ toy }));

    expect(typesOf(await find(`subject=toy/${toy}`))).toEqual([ToyMade.type, ToyPainted.type, ToyMade.type]);
    expect(typesOf(await find(`correlationId=${request}`))).toEqual([ToyMade.type, ToyPainted.type, ToyMade.type]);
    expect(typesOf(await find(`subject=toy/${toy}&type=${ToyPainted.type}`))).toEqual([ToyPainted.type]);
    expect(await find(`subject=toy/${toy}&type=${ToyMade.type}&correlationId=${request}`)).toHaveLength(1);
    expect(await find(`subject=toy/${toy}x`)).toEqual([]);
    expect(new Set(typesOf(await find(`type=${ToyMade.type}`)))).toEqual(new Set([ToyMade.type]));
    const positions = (await find('limit=200')).map(({ position }: Entry) => position);
    expect(positions).toEqual(positions.toSorted((one: number, two: number) => two - one));
  });

  test('hides personal data', async () => {
    const toy = randomUUID();
    await publishIn(randomUUID(), ToySold({ toy, note: 'wrapped', child: 'Maria' }));

    expect(await find(`subject=toy/${toy}`)).toMatchObject([{ data: { toy, note: 'wrapped', child: '•••' } }]);
  });

  test('shows no data of an event whose contract this build does not have', async () => {
    const toy = randomUUID();
    await publishIn(randomUUID(), { type: 'toys.toy-lost.v7', subject: `toy/${toy}`, data: { owner: 'Maria' } });

    expect(await find(`subject=toy/${toy}`)).toMatchObject([{ type: 'toys.toy-lost.v7', data: null }]);
  });

  test('is read page by page, each event once, while others are published', async () => {
    const toy = randomUUID();
    const publish = () => publishIn(randomUUID(), ToyForgotten({ toy }));
    for (let count = 0; count < 5; count += 1) await publish();

    const pages = await pagesOf<{ version: number }>(`/v1/events?subject=toy/${toy}&limit=2`, publish);

    expect(pages.map((page) => page.map(({ version }) => version))).toEqual([[5, 4], [3, 2], [1]]);
  });

  test.each([
    ['limit=0', 'request-invalid'],
    ['limit=201', 'request-invalid'],
    ['subject=', 'request-invalid'],
    ['colour=red', 'request-invalid'],
    ['cursor=nonsense', 'cursor-invalid'],
    [`cursor=${Buffer.from('["1"]').toString('base64url')}`, 'cursor-invalid'],
  ])('refuses ?%s', async (query, code) => {
    expect(await stage.get(`/v1/events?${query}`)).toMatchObject({ status: 400, body: { code } });
  });
});

describe('the list of deliveries', () => {
  const find = async (query: string) => (await stage.get(`/v1/operations/deliveries?${query}`)).body.items;
  const namesOf = (items: readonly { subscriber: string }[]) => items.map(({ subscriber }) => subscriber);

  /** Publishes an event with one delivery that is done, one that is dead, and one that failed and waits. */
  async function soldWithFailures(): Promise<string> {
    const toy = randomUUID();
    script.on('ring', async () => {
      throw new GiveUp('nobody at home, maria@customer.example');
    });
    script.on('wrap', async () => {
      throw new Error('no paper');
    });
    await stage.receive(ToySold({ toy }));
    await stage.runDeliveries();
    return toy;
  }

  test('shows subscriber, state and errors of each delivery', async () => {
    const toy = await soldWithFailures();

    const [event] = (await stage.get(`/v1/events?subject=toy/${toy}`)).body.items;
    const about = { eventId: event.id, type: ToySold.type, subject: `toy/${toy}`, version: 1 };
    const times = { occurredAt: event.occurredAt, leaseUntil: null, releasedAt: null };
    const failed = { attempt: 1, at: expect.any(String) };
    expect(await find(`subject=toy/${toy}`)).toEqual([
      {
        id: `${event.id}.toys.wrap`,
        ...about,
        ...times,
        subscriber: 'toys.wrap',
        state: 'pending',
        attempts: 1,
        errors: [{ ...failed, name: 'Error', message: 'no paper' }],
        fingerprint: null,
        finishedAt: null,
      },
      {
        id: `${event.id}.toys.ring`,
        ...about,
        ...times,
        subscriber: 'toys.ring',
        state: 'dead',
        attempts: 1,
        errors: [{ ...failed, name: 'GiveUp', message: 'nobody at home, ***@customer.example' }],
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        finishedAt: expect.stringMatching(/Z$/),
      },
      {
        id: `${event.id}.toys.count`,
        ...about,
        ...times,
        subscriber: 'toys.count',
        state: 'done',
        attempts: 1,
        errors: [],
        fingerprint: null,
        finishedAt: expect.stringMatching(/Z$/),
      },
    ]);
  });

  test('is filtered by state, by subscriber, by subject and by all of them', async () => {
    const toy = await soldWithFailures();
    const states: Readonly<Record<string, DeliveryState>> = {
      'toys.wrap': 'pending',
      'toys.ring': 'dead',
      'toys.count': 'done',
    };

    for (const [subscriber, state] of Object.entries(states)) {
      expect(namesOf(await find(`subject=toy/${toy}&state=${state}`))).toEqual([subscriber]);
      expect(namesOf(await find(`subject=toy/${toy}&subscriber=${subscriber}`))).toEqual([subscriber]);
      expect(new Set(namesOf(await find(`subscriber=${subscriber}`)))).toEqual(new Set([subscriber]));
    }
    expect(await find(`subject=toy/${toy}&state=skipped`)).toEqual([]);
    expect(await find(`subject=toy/${toy}&state=dead&subscriber=toys.wrap`)).toEqual([]);
    expect(await find('subscriber=toys.nobody')).toEqual([]);
  });

  test('is filtered by fingerprint, and by the type and the time of the event', async () => {
    const toy = await soldWithFailures();
    const [dead] = await find(`subject=toy/${toy}&state=dead`);
    const at = Date.parse(dead.occurredAt);
    const time = (ms: number) => new Date(at + ms).toISOString();

    expect(await find(`subject=toy/${toy}&fingerprint=${dead.fingerprint}`)).toEqual([dead]);
    expect((await find(`fingerprint=${dead.fingerprint}`)).length).toBeGreaterThan(1);
    expect(await find(`subject=toy/${toy}&fingerprint=0123456789abcdef`)).toEqual([]);
    expect(await find(`subject=toy/${toy}&type=${ToySold.type}`)).toHaveLength(3);
    expect(await find(`subject=toy/${toy}&type=${ToyMade.type}`)).toEqual([]);
    expect(await find(`subject=toy/${toy}&after=${time(-1)}&before=${time(1)}`)).toHaveLength(3);
    expect(await find(`subject=toy/${toy}&after=${time(0)}`)).toEqual([]);
    expect(await find(`subject=toy/${toy}&before=${time(0)}`)).toEqual([]);
  });

  test('shows the lease while a handler runs', async () => {
    const toy = randomUUID();
    let leases: unknown;
    script.on('ring', async () => {
      leases = await find(`subject=toy/${toy}&subscriber=toys.ring`);
    });

    await stage.receive(ToySold({ toy }));
    await stage.runDeliveries();

    expect(leases).toMatchObject([{ state: 'pending', attempts: 1, leaseUntil: expect.stringMatching(/Z$/) }]);
    const [{ leaseUntil, finishedAt }] = await find(`subject=toy/${toy}&subscriber=toys.ring`);
    expect([leaseUntil, finishedAt]).toEqual([null, expect.any(String)]);
  });

  test('is read page by page, each delivery once, even where a page ends between deliveries of one event', async () => {
    const toy = randomUUID();
    const publish = () => stage.receive(ToySold({ toy }));
    for (let count = 0; count < 3; count += 1) await publish();
    const before = await find(`subject=toy/${toy}`);

    const pages = await pagesOf<{ id: string }>(`/v1/operations/deliveries?subject=toy/${toy}&limit=2`, publish);

    expect(pages.map((page) => page.length)).toEqual([2, 2, 2, 2, 1]);
    expect(pages.flat()).toEqual(before);
    expect(new Set(pages.flat().map(({ id }) => id)).size).toBe(9);
  });

  test.each([
    ['state=lost', 'request-invalid'],
    ['limit=201', 'request-invalid'],
    ['after=yesterday', 'request-invalid'],
    ['colour=red', 'request-invalid'],
    ['cursor=nonsense', 'cursor-invalid'],
    [`cursor=${Buffer.from('["1","toys.ring"]').toString('base64url')}`, 'cursor-invalid'],
    [
      `cursor=${Buffer.from('["0192f3a0-5b1e-7c3d-9f2a-4e6b8d0c1a2b","\\u0000"]').toString('base64url')}`,
      'cursor-invalid',
    ],
  ])('refuses ?%s', async (query, code) => {
    expect(await stage.get(`/v1/operations/deliveries?${query}`)).toMatchObject({ status: 400, body: { code } });
  });
});

describe('the list of subscriptions', () => {
  const subscriptions = async () => (await stage.get('/v1/operations/subscriptions')).body.items;

  test('shows the contract of every subscriber', async () => {
    const plain = {
      lane: 'immediate',
      line: 'toys',
      attempts: 12,
      backoff: { firstMs: 1_000, maxMs: 900_000 },
      timeoutMs: 30_000,
      behindDead: 'park',
      retired: false,
      active: true,
    };
    const quick = { ...plain, attempts: 6, backoff: { firstMs: 5, maxMs: 20 }, timeoutMs: 2_000 };
    const backlog = { pending: expect.any(Number), dead: expect.any(Number), pausedSince: null, pauseReason: null };

    expect(await subscriptions()).toEqual([
      { name: 'toys.paint', event: ToyMade.type, ...plain, ...backlog },
      { name: 'toys.sell', event: ToyPainted.type, ...plain, ...backlog },
      { name: 'toys.count', event: ToySold.type, ...quick, lane: 'later', ...backlog },
      { name: 'toys.ring', event: ToySold.type, ...quick, lane: 'side-effect', line: 'toys.ring', ...backlog },
      {
        name: 'toys.wrap',
        event: ToySold.type,
        ...quick,
        lane: 'side-effect',
        line: 'toys.wrap',
        behindDead: 'pass',
        ...backlog,
      },
    ]);
  });

  test('shows the number of pending and dead deliveries of each subscriber', async () => {
    const backlogOf = async () =>
      new Map(
        (await subscriptions()).map(({ name, pending, dead }: { name: string; pending: number; dead: number }) => [
          name,
          { pending, dead },
        ]),
      );
    await stage.query(`UPDATE backbone.delivery SET state = 'skipped' WHERE state <> 'done'`);
    script.on('ring', async () => {
      throw new GiveUp('nobody at home');
    });
    await stage.receive(ToySold({ toy: randomUUID() }), ToySold({ toy: randomUUID() }));
    await stage.runDeliveries();
    await stage.receive(ToySold({ toy: randomUUID() }));

    expect(Object.fromEntries(await backlogOf())).toEqual({
      'toys.paint': { pending: 0, dead: 0 },
      'toys.sell': { pending: 0, dead: 0 },
      'toys.count': { pending: 1, dead: 0 },
      'toys.ring': { pending: 1, dead: 2 },
      'toys.wrap': { pending: 1, dead: 0 },
    });
  });
});

describe('the timeline of a subject', () => {
  const timeline = () => stage.app.get(Timeline);

  test('has its events, the events that they caused, their reactions and their deliveries', async () => {
    const [toy, twin] = [randomUUID(), randomUUID()];
    script.on('paint', async ({ data }, tx) => {
      if ('publish' in tx && data.toy === toy) tx.publish(ToyPainted({ toy: twin }));
    });
    await publishIn('a-request', ToyMade({ toy }), ToyMade({ toy: randomUUID() }));
    await publishIn('another', ToySold({ toy, child: 'Maria' }));
    await stage.runDeliveries();

    const entries = await timeline().of(`toy/${toy}`);

    const made = entries[0]?.eventId;
    expect(entries.filter(({ kind }) => kind === 'event')).toMatchObject([
      {
        type: ToyMade.type,
        subject: `toy/${toy}`,
        correlationId: 'a-request',
        reactions: [{ subscriber: 'toys.paint', ms: expect.any(Number) }],
      },
      { type: ToyPainted.type, subject: `toy/${twin}`, causationId: made, reactions: [{ subscriber: 'toys.sell' }] },
      { type: ToySold.type, subject: `toy/${toy}`, correlationId: 'another', version: 2 },
    ]);
    const deliveries = entries.filter((entry) => entry.kind === 'delivery');
    expect(deliveries.map(({ subscriber, state }) => `${subscriber} ${state}`).toSorted()).toEqual([
      'toys.count done',
      'toys.ring done',
      'toys.wrap done',
    ]);
    expect(entries.map(({ at }) => at)).toEqual(entries.map(({ at }) => at).toSorted());
    expect(JSON.stringify(entries)).not.toContain('Maria');
  });

  test('has the entries that modules add, sorted by time', async () => {
    const message = { template: 'hello', channel: 'email', state: 'sent', attempts: 1, sentAt: null };
    class Greetings implements TimelineSource {
      async entriesOf(eventIds: readonly string[]): Promise<readonly TimelineEntry[]> {
        return eventIds.map((eventId) => ({ kind: 'message', at: '2020-01-01T00:00:00.000Z', eventId, ...message }));
      }
    }
    @BusinessModule({
      name: 'greetings',
      events: {},
      controllers: [],
      providers: [],
      entities: [],
      migrations: [],
      timeline: [Greetings],
    })
    class GreetingsModule {}
    const greeting = await ModuleStage.of([ToysModule, GreetingsModule]);
    const toy = randomUUID();
    await greeting.receive(ToyForgotten({ toy }));

    const entries = await greeting.app.get(Timeline).of(`toy/${toy}`);
    await greeting.close();

    expect(entries.map(({ kind }) => kind)).toEqual(['message', 'event']);
    expect(entries[0]?.eventId).toBe(entries[1]?.eventId);
  });

  test('is empty for a subject without events', async () => {
    expect(await timeline().of(`toy/${randomUUID()}`)).toEqual([]);
  });
});
