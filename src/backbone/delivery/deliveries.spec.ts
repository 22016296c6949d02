import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Logger } from '@nestjs/common';
import { Database } from '../../common/database/database.js';
import { createLogger } from '../../common/logging/logger.js';
import { ModuleStage } from '../../operations/testing/module-stage.js';
import type { DeliveryRef, DeliveryState, FailedAttempt } from '../delivery.js';
import { GiveUp, RetryLater } from '../outcomes.js';
import { type Subscription, Subscriptions } from '../registry/subscriptions.js';
import { Script, ToySold, ToysModule } from '../testing/toy-module.js';
import { Deliveries } from './deliveries.js';
import { DeliveryRunner } from './delivery-runner.js';

/** Not faked, so that a fake clock changes the time of day alone. */
const TIMERS = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

interface Row extends DeliveryRef {
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly errors: readonly FailedAttempt[];
}

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  await new Promise(setImmediate);
  collect();
}

/** A promise that a test resolves. */
class Signal {
  give = (): void => undefined;
  readonly given = new Promise<void>((resolve) => {
    this.give = resolve;
  });
}

describe('a delivery', () => {
  let stage: ModuleStage;
  let script: Script;
  let runner: DeliveryRunner;

  beforeAll(async () => {
    stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
    await stage.query('CREATE TABLE sale (toy text NOT NULL)');
    script = stage.app.get(Script, { strict: false });
    runner = stage.app.get(DeliveryRunner);
  });

  afterAll(() => stage.close());

  beforeEach(async () => {
    for (const handler of ['count', 'ring', 'wrap'] as const) script.on(handler, async () => undefined);
    await stage.query('TRUNCATE sale');
  });

  /** The deliveries of a subscriber for one toy, oldest first. */
  const rows = (subscriber: string, toy: string) =>
    stage.query<Row>(
      `SELECT d.event_id AS "eventId", d.subscriber, d.claims, d.state, d.attempts, d.errors
         FROM backbone.delivery d JOIN backbone.event e ON e.id = d.event_id
        WHERE d.subscriber = $1 AND e.subject = $2 ORDER BY e.position`,
      [subscriber, `toy/${toy}`],
    );
  const only = async (subscriber: string, toy: string): Promise<Row> => {
    const [row] = await rows(subscriber, toy);
    if (!row) throw new Error(`${subscriber} has no delivery for ${toy}`);
    return row;
  };
  const sold = async (...notes: string[]): Promise<string> => {
    const toy = randomUUID();
    for (const note of notes) await stage.receive(ToySold({ toy, note }));
    return toy;
  };
  const runLatest = async (subscriber: string, toy: string) => runner.run(await only(subscriber, toy));
  const expire = (toy: string) =>
    stage.query(
      `UPDATE backbone.delivery SET lease_until = clock_timestamp() - interval '1 second'
        WHERE lease_until IS NOT NULL AND order_key LIKE $1`,
      [`%toy/${toy}`],
    );
  const subscription = (name: string): Subscription => {
    const found = stage.app.get(Subscriptions).named(name);
    if (!found) throw new Error(name);
    return found;
  };

  describe('of a later reaction', () => {
    const book = async (toy: string, tx: object) => {
      if ('manager' in tx)
        await (tx as { manager: Database['dataSource']['manager'] }).manager.query('INSERT INTO sale VALUES ($1)', [
          toy,
        ]);
    };
    const sales = async (toy: string) => (await stage.query('SELECT FROM sale WHERE toy = $1', [toy])).length;

    test('commits its rows together with its end', async () => {
      const toy = await sold('once');
      script.on('count', ({ data }, tx) => book(data.toy, tx));

      await runLatest('toys.count', toy);

      expect(await sales(toy)).toBe(1);
      expect(await only('toys.count', toy)).toMatchObject({ state: 'done', attempts: 1, errors: [] });
    });

    test('has its effect once, however many jobs it has', async () => {
      const toy = await sold('twice');
      script.on('count', ({ data }, tx) => book(data.toy, tx));
      const first = await only('toys.count', toy);

      await Promise.all([runner.run(first), runner.run(first), runner.run(first)]);
      await runLatest('toys.count', toy);

      expect(await sales(toy)).toBe(1);
    });

    test('rolls back when another process has claimed the delivery meanwhile', async () => {
      const toy = await sold('slow');
      const started = new Signal();
      const claimedAgain = new Signal();
      let runs = 0;
      script.on('count', async ({ data }, tx) => {
        runs += 1;
        await book(data.toy, tx);
        if (runs > 1) return;
        started.give();
        await claimedAgain.given;
      });

      const stalled = runLatest('toys.count', toy);
      await started.given;
      await expire(toy);
      await runLatest('toys.count', toy);
      claimedAgain.give();
      await stalled;

      expect(runs).toBe(2);
      expect(await sales(toy)).toBe(1);
      expect(await only('toys.count', toy)).toMatchObject({ state: 'done', attempts: 2 });
    });

    test('rolls back at its time-out when it never ends', async () => {
      const toy = await sold('endless');
      script.on('count', async (_, tx) => {
        if ('manager' in tx) await tx.manager.query('INSERT INTO sale VALUES ($1)', [toy]);
        await new Promise(() => undefined);
      });

      await runLatest('toys.count', toy);

      expect(await stage.query('SELECT FROM sale WHERE toy = $1', [toy])).toHaveLength(0);
      expect(await only('toys.count', toy)).toMatchObject({ state: 'pending', errors: [{ name: 'TimedOut' }] });
    });
  });

  test('that is done is not run again by any job, earlier or later', async () => {
    const toy = await sold('over');
    let runs = 0;
    script.on('ring', async () => void (runs += 1));
    const first = await only('toys.ring', toy);
    await Promise.all([runner.run(first), runner.run(first)]);
    const last = await only('toys.ring', toy);

    await expire(toy);
    for (const ref of [first, last]) await runner.run(ref);

    expect(runs).toBe(1);
    expect(await only('toys.ring', toy)).toEqual(last);
  });

  test('that fails is logged once for each cause, whatever ids and numbers its error contains', async () => {
    const logged: string[] = [];
    const write = (line: Buffer) => void logged.push(JSON.parse(String(line)).err.message);
    const output = new Writable({ write: (line, _, done) => [write(line), done()] });
    Logger.overrideLogger(createLogger({ level: 'warn', format: 'json' }, output));
    script.on('ring', async ({ data }) => {
      throw new Error(data.note || `451 4.3.0 try ${data.toy} again`);
    });
    const [mute, ...toys] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];

    await stage.receive(...toys.map((toy) => ToySold({ toy })), ToySold({ toy: mute, note: 'no bell' }));
    for (const toy of [...toys, mute]) await runner.run(await only('toys.ring', toy));
    Logger.overrideLogger(false);

    expect(logged.toSorted()).toEqual([expect.stringMatching(/^451 4\.3\.0 try \S+ again$/), 'no bell']);
  });

  test('leaves no object in memory when it has ended', async () => {
    const signals: WeakRef<AbortSignal>[] = [];
    script.on('ring', async (_, context) => {
      if ('signal' in context) signals.push(new WeakRef(context.signal));
    });

    await runLatest('toys.ring', await sold('forgotten'));
    await collectGarbage();

    expect(signals.map((each) => each.deref())).toEqual([undefined]);
  });

  describe('that fails', () => {
    test.each([
      ['an error with bytes that PostgreSQL does not store', new Error('a\0b'), 'ab'],
      ['a string', 'no answer', 'no answer'],
      ['an object', Object.assign(Object.create(null), { code: 7 }), '[Object: null prototype] { code: 7 }'],
      ['nothing', undefined, 'undefined'],
    ])('by throwing %s keeps it as its error', async (_, thrown, message) => {
      const toy = await sold('odd');
      script.on('ring', () => Promise.reject(thrown));

      await runLatest('toys.ring', toy);

      expect(await only('toys.ring', toy)).toMatchObject({ state: 'pending', errors: [{ name: 'Error', message }] });
    });

    test('is retried, keeps every error, and is done in the end', async () => {
      const toy = await sold('stubborn');
      let runs = 0;
      script.on('ring', async () => {
        runs += 1;
        if (runs <= 5) throw new Error(`no answer ${runs} from maria@example.com`);
      });

      for (let run = 1; run <= 6; run += 1) await runLatest('toys.ring', toy);

      const { state, attempts, errors } = await only('toys.ring', toy);
      expect({ state, attempts }).toEqual({ state: 'done', attempts: 6 });
      expect(errors.map(({ attempt, message }) => ({ attempt, message }))).toEqual(
        [1, 2, 3, 4, 5].map((attempt) => ({ attempt, message: `no answer ${attempt} from ***@example.com` })),
      );
    });

    test('waits for its pause to end, although a job of an earlier claim arrives', async () => {
      const toy = await sold('hasty');
      script.on('ring', async () => {
        throw new Error('no answer');
      });
      const first = await only('toys.ring', toy);
      await runner.run(first);
      const failed = await only('toys.ring', toy);

      await runner.run(first);

      expect(failed).toMatchObject({ state: 'pending', attempts: 1, claims: 1 });
      expect(await only('toys.ring', toy)).toEqual(failed);
    });

    test('is dead when no attempt is left, keeps its errors, and does not affect other subjects', async () => {
      const toy = await sold('hopeless');
      const other = await sold('other');
      script.on('ring', async ({ data }) => {
        if (data.toy === toy) throw new Error('never');
      });

      for (let run = 1; run <= 7; run += 1) await runLatest('toys.ring', toy);
      await runLatest('toys.ring', other);

      const dead = await only('toys.ring', toy);
      expect(dead).toMatchObject({ state: 'dead', attempts: 6 });
      expect(dead.errors).toHaveLength(6);
      expect(await only('toys.ring', other)).toMatchObject({ state: 'done', attempts: 1 });
    });

    test('is dead at once when the handler gives up', async () => {
      const toy = await sold('refused');
      script.on('ring', async () => {
        throw new GiveUp('no such address');
      });

      await runLatest('toys.ring', toy);

      expect(await only('toys.ring', toy)).toMatchObject({
        state: 'dead',
        attempts: 1,
        errors: [{ attempt: 1, name: 'GiveUp', message: 'no such address' }],
      });
    });

    test.each([60_000, 0.5, 40 * 24 * 3_600_000])(
      'does not count an attempt that ended with RetryLater(%d)',
      async (delayMs) => {
        const toy = await sold('early');
        script.on('ring', async () => {
          throw new RetryLater(delayMs, 'the shop is closed');
        });

        await runLatest('toys.ring', toy);

        expect(await only('toys.ring', toy)).toMatchObject({ state: 'pending', attempts: 0, errors: [] });
      },
    );

    test('counts an attempt whose process died, and is dead when every attempt dies', async () => {
      const toy = await sold('poison');
      const deliveries = stage.app.get(Deliveries);

      for (let claim = 1; claim <= 6; claim += 1) {
        await deliveries.claim(await only('toys.ring', toy), subscription('toys.ring'), 1_000);
        await expire(toy);
      }
      await runLatest('toys.ring', toy);

      const dead = await only('toys.ring', toy);
      expect(dead.state).toBe('dead');
      expect(dead.errors.map(({ name }) => name)).toEqual([...Array(6).fill('LeaseExpired'), 'GiveUp']);
    });

    test('is aborted at its time-out', async () => {
      const toy = await sold('hanging');
      script.on(
        'ring',
        (_, context) =>
          new Promise((_resolve, reject) => {
            if ('signal' in context) context.signal.addEventListener('abort', () => reject(context.signal.reason));
          }),
      );

      await runLatest('toys.ring', toy);

      expect(await only('toys.ring', toy)).toMatchObject({
        state: 'pending',
        attempts: 1,
        errors: [{ name: 'TimedOut' }],
      });
    });
  });

  describe('of a subject', () => {
    test('waits for the earlier one of its partition, and runs after it', async () => {
      const toy = await sold('first', 'second');
      const handled: string[] = [];
      script.on('ring', async ({ data }) => void handled.push(data.note));
      const [first, second] = await rows('toys.ring', toy);
      if (!first || !second) throw new Error('two deliveries are expected');

      await runner.run(second);
      expect(handled).toEqual([]);
      await runner.run(first);
      await runner.run(second);

      expect(handled).toEqual(['first', 'second']);
    });

    test('waits behind a dead one if the subscription parks, and runs if it lets pass', async () => {
      const toy = await sold('first', 'second');
      const handled: string[] = [];
      const fail = async ({ data }: { data: { note: string } }) => {
        if (data.note === 'first') throw new GiveUp('dead');
        handled.push(data.note);
      };
      script.on('ring', fail);
      script.on('wrap', fail);

      for (const each of await rows('toys.ring', toy)) await runner.run(each);
      expect(handled).toEqual([]);
      for (const each of await rows('toys.wrap', toy)) await runner.run(each);

      expect(handled).toEqual(['second']);
    });
  });

  test.each([-3_600_000, 3_600_000])(
    'has a lease by the clock of the database, although the clock of the process is off by %i ms',
    async (offMs) => {
      const toy = await sold('clock');
      const deliveries = stage.app.get(Deliveries);
      let runs = 0;
      script.on('ring', async () => void (runs += 1));
      jest.useFakeTimers({ now: Date.now() + offMs, doNotFake: [...TIMERS] });
      try {
        await deliveries.claim(await only('toys.ring', toy), subscription('toys.ring'), 60_000);
        await runLatest('toys.ring', toy);
        expect(runs).toBe(0);
        const [lease] = await stage.query<{ isHeld: boolean }>(
          `SELECT lease_until BETWEEN clock_timestamp() AND clock_timestamp() + interval '1 minute' AS "isHeld"
             FROM backbone.delivery WHERE subscriber = 'toys.ring' AND order_key LIKE $1`,
          [`%toy/${toy}`],
        );
        expect(lease).toEqual({ isHeld: true });
        await expire(toy);
        await runLatest('toys.ring', toy);
      } finally {
        jest.useRealTimers();
      }

      expect(runs).toBe(1);
      expect(await only('toys.ring', toy)).toMatchObject({ state: 'done', attempts: 2 });
    },
  );

  test('is not postponed by an invalid delay', () => {
    for (const delayMs of [Number.NaN, -1, Number.POSITIVE_INFINITY])
      expect(() => new RetryLater(delayMs)).toThrow(RangeError);
  });

  test('that is overdue is returned to the relay once per period', async () => {
    const toy = await sold('lost');
    const subscribers = ['toys.ring'];
    await stage.query(`UPDATE backbone.delivery SET due_at = clock_timestamp() WHERE order_key LIKE $1`, [
      `%toy/${toy}`,
    ]);
    const { eventId } = await only('toys.ring', toy);
    const isOurs = (each: DeliveryRef) => each.eventId === eventId;

    expect((await stage.app.get(Deliveries).takeOverdue(subscribers, 1_000)).filter(isOurs)).toHaveLength(1);
    expect((await stage.app.get(Deliveries).takeOverdue(subscribers, 1_000)).filter(isOurs)).toHaveLength(0);
  });

  test('is not overdue during its lease, and overdue after it', async () => {
    const { eventId } = await only('toys.ring', await sold('held'));
    const found = async () => {
      await stage.query('UPDATE backbone.delivery SET due_at = clock_timestamp() WHERE event_id = $1', [eventId]);
      const all = await stage.app.get(Deliveries).takeOverdue(['toys.ring'], 1_000);
      return all.filter((each) => each.eventId === eventId).length;
    };
    const holdFor = (seconds: number) =>
      stage.query(
        `UPDATE backbone.delivery SET lease_until = clock_timestamp() + make_interval(secs => $2)
                  WHERE event_id = $1 AND subscriber = 'toys.ring'`,
        [eventId, seconds],
      );

    await holdFor(60);
    expect(await found()).toBe(0);
    await holdFor(0);
    expect(await found()).toBe(1);
  });

  test('is overdue in a later round, although more blocked deliveries than a round takes are due before it', async () => {
    await stage.query('TRUNCATE backbone.event, backbone.delivery');
    script.on('ring', async () => {
      throw new GiveUp('dead');
    });
    await runLatest('toys.ring', await sold('dead', 'parked', 'parked', 'parked'));
    const free = await sold('free');
    await stage.query(`UPDATE backbone.delivery SET due_at = clock_timestamp() - interval '1 hour' WHERE position < (
      SELECT max(position) FROM backbone.delivery)`);
    await stage.query(`UPDATE backbone.delivery SET due_at = clock_timestamp() WHERE order_key LIKE '%${free}'`);
    const { eventId } = await only('toys.ring', free);
    const overdueInRound = async () => {
      const found = await stage.app.get(Deliveries).takeOverdue(['toys.ring'], 2);
      return found.map((each) => each.eventId);
    };

    const rounds = [await overdueInRound(), await overdueInRound()];

    expect(rounds.map(({ length }) => length)).toEqual([2, 2]);
    expect(rounds[1]).toContain(eventId);
  });

  test('is not delayed by the backlog of another subscriber', async () => {
    await stage.query('TRUNCATE backbone.event, backbone.delivery');
    await sold('one', 'two', 'three');
    await stage.query('UPDATE backbone.delivery SET due_at = clock_timestamp()');

    const found = await stage.app.get(Deliveries).takeOverdue(['toys.ring', 'toys.wrap'], 2);

    const subscribers = found.map(({ subscriber }) => subscriber).toSorted();
    expect(subscribers.join(' ')).toBe('toys.ring toys.ring toys.wrap toys.wrap');
  });
});
