import { Logger } from '@nestjs/common';
import { ModuleStage } from '../../operations/testing/module-stage.js';
import { BusinessModule } from '../business-module.js';
import { type DurableOptions, ReactsTo, SideEffect } from '../decorators.js';
import { defineEvent } from '../domain-event.js';
import { assertSubscribed, StartRefused, StartUpChecks } from '../lifecycle/start-up-checks.js';
import { Script, ToyForgotten, ToyMade, ToySold, ToysModule } from '../testing/toy-module.js';
import { EventContracts } from './event-contracts.js';
import { partitionKeyOf, runsInTransaction, Subscriptions } from './subscriptions.js';

const always = () => true;

/** The subscriptions of a module with two handlers: `handle` with these options, and `other`. */
function subscriptionsWith(options: DurableOptions) {
  class Twice {
    @SideEffect(ToySold, options)
    async handle(): Promise<void> {}

    @SideEffect(ToySold)
    async other(): Promise<void> {}
  }
  @BusinessModule({ name: 'twice', events: {}, controllers: [], providers: [Twice], entities: [], migrations: [] })
  class TwiceModule {}
  return new Subscriptions([TwiceModule], always).all;
}

const anEvent = {
  ...ToySold({ toy: 'ball' }),
  id: '01920000-0000-7000-8000-000000000000',
  occurredAt: '2026-11-28T00:00:00.000Z',
  correlationId: 'a-request',
  causationId: null,
};

describe('the partition key', () => {
  const keyWith = (partitionBy: () => unknown) =>
    subscriptionsWith({ partitionBy: partitionBy as () => string }).map((each) => partitionKeyOf(each, anEvent))[0];

  test('is the ordering group and what the subscriber chooses', () => {
    expect(keyWith(() => 'red')).toBe('twice.handle red');
  });

  test.each([
    ['throws', () => JSON.parse('no JSON')],
    ['returns no text', () => undefined],
    ['returns an empty text', () => ''],
  ])('falls back to the subject where the function of the subscriber %s', (_, partitionBy) => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation();

    expect(keyWith(partitionBy)).toBe('twice.handle toy/ball');
    log.mockRestore();
  });
});

describe('the subscriptions of a program', () => {
  test('include handlers in classes that the module contributes to an extension point', () => {
    class OldToys {
      readonly kind = 'toys';

      async *batches(): AsyncGenerator<number> {}

      @SideEffect(ToySold)
      async remember(): Promise<void> {}
    }
    @BusinessModule({
      name: 'shelf',
      events: {},
      controllers: [],
      providers: [],
      entities: [],
      migrations: [],
      retention: [OldToys],
    })
    class ShelfModule {}

    expect(new Subscriptions([ShelfModule], always).all.map(({ name }) => name)).toEqual(['shelf.remember']);
  });

  test('have the name of their module and method; the reactions of a module form one ordering group', () => {
    const subscriptions = new Subscriptions([ToysModule], always);

    expect(subscriptions.all.map(({ name, mode, orderingGroup }) => ({ name, mode, orderingGroup }))).toEqual([
      { name: 'toys.paint', mode: 'immediate', orderingGroup: 'toys' },
      { name: 'toys.sell', mode: 'immediate', orderingGroup: 'toys' },
      { name: 'toys.count', mode: 'later', orderingGroup: 'toys' },
      { name: 'toys.ring', mode: 'side-effect', orderingGroup: 'toys.ring' },
      { name: 'toys.wrap', mode: 'side-effect', orderingGroup: 'toys.wrap' },
    ]);
  });

  test('of a module in another process all become deliveries', () => {
    const inactive = new Subscriptions([ToysModule], () => false);

    expect(inactive.to(ToyMade.type).filter(runsInTransaction)).toEqual([]);
    expect(inactive.to(ToyMade.type).map(({ name }) => name)).toEqual(['toys.paint']);
  });

  test('have unique names', () => {
    class Twice {
      @ReactsTo(ToySold)
      @ReactsTo(ToyMade)
      async handle(): Promise<void> {}
    }
    @BusinessModule({ name: 'twice', events: {}, controllers: [], providers: [Twice], entities: [], migrations: [] })
    class TwiceModule {}

    expect(() => new Subscriptions([TwiceModule], always)).toThrow('Two subscribers have the name twice.handle');
  });

  test('have the permanent name of their decorator, also as ordering group', () => {
    expect(subscriptionsWith({ name: 'twice.first' })).toMatchObject([
      { name: 'twice.first', orderingGroup: 'twice.first' },
      { name: 'twice.other' },
    ]);
  });

  test.each([
    ['belongs to another subscriber', 'twice.other', 'Two subscribers have the name twice.other'],
    ['does not start with a module', 'other', 'has the permanent name other: write twice.<name>'],
    ['starts with another module', 'toys.other', 'has the permanent name toys.other: write twice.<name>'],
  ])('are refused where a permanent name %s', (_, name, problem) => {
    expect(() => subscriptionsWith({ name })).toThrow(problem);
  });

  test.each([
    [{ attempts: 0 }, 'twice.handle has 0 attempts'],
    [{ attempts: 1.5 }, 'twice.handle has 1.5 attempts'],
    [{ timeoutMs: 0 }, 'twice.handle has a timeout of 0 ms'],
    [{ timeoutMs: Number.POSITIVE_INFINITY }, 'twice.handle has a timeout of Infinity ms'],
  ])('are refused where a handler could never run: %j', (options, problem) => {
    expect(() => subscriptionsWith(options)).toThrow(problem);
  });

  test('receive no new events when they are retired', () => {
    class Retired {
      @ReactsTo(ToySold, { retired: true })
      async handle(): Promise<void> {}
    }
    @BusinessModule({ name: 'old', events: {}, controllers: [], providers: [Retired], entities: [], migrations: [] })
    class RetiredModule {}
    const subscriptions = new Subscriptions([RetiredModule], always);

    expect(subscriptions.to(ToySold.type)).toEqual([]);
    expect(subscriptions.all.map(runsInTransaction)).toEqual([false]);
    expect(() => assertSubscribed(new EventContracts([ToySold]), subscriptions)).toThrow(
      'no subscriber for toys.toy-sold.v1',
    );
  });

  test('are refused where an event has no subscriber and does not allow that', () => {
    const subscriptions = new Subscriptions([ToysModule], always);
    const { allowNoSubscribers: _, ...definition } = ToyForgotten;
    const forgotten = defineEvent(definition);

    expect(() => assertSubscribed(new EventContracts([ToyMade, ToySold, ToyForgotten]), subscriptions)).not.toThrow();
    expect(() => assertSubscribed(new EventContracts([ToyMade, forgotten]), subscriptions)).toThrow(
      'no subscriber for toys.toy-forgotten.v1',
    );
  });
});

describe('the start', () => {
  let stage: ModuleStage;

  beforeAll(async () => {
    stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
  });

  afterAll(() => stage.close());

  test('accepts deliveries of a plain reaction whose module ran in another process before', async () => {
    await stage.receive(ToyMade({ toy: 'train' }));
    await stage.query(
      `INSERT INTO backbone.delivery (event_id, subscriber, order_key, position, due_at)
       SELECT id, 'toys.paint', 'toys ' || subject, position, occurred_at FROM backbone.event WHERE type = $1`,
      [ToyMade.type],
    );

    await stage.app.get(StartUpChecks).run();

    expect(await stage.runDeliveries()).toBe(1);
  });

  test('is refused while deliveries wait for a subscriber that this build does not have', async () => {
    await stage.receive(ToySold({ toy: 'ball' }));
    await stage.query(`UPDATE backbone.delivery SET subscriber = 'toys.unknown' WHERE subscriber = 'toys.ring'`);

    const start = stage.app.get(StartUpChecks).run();

    await expect(start).rejects.toBeInstanceOf(StartRefused);
    await expect(start).rejects.toThrow('1 unfinished deliveries of toys.toy-sold.v1 wait for toys.unknown');
  });

  test('counts the deliveries that it names up to a limit', async () => {
    await stage.query('TRUNCATE backbone.event, backbone.delivery');
    await stage.query(
      `WITH made AS (
         INSERT INTO backbone.event (id, subject, version, type, data, metadata, correlation_id, occurred_at)
         SELECT gen_random_uuid(), 'toy/ball', n, $1, '{}', '{}', '', now() FROM generate_series(1, 10001) n
         RETURNING id, position)
       INSERT INTO backbone.delivery (event_id, subscriber, order_key, position, state, due_at)
       SELECT id, 'toys.unknown', 'toys', position, (ARRAY['pending', 'dead'])[1 + position % 2], now() FROM made`,
      [ToySold.type],
    );

    await expect(stage.app.get(StartUpChecks).run()).rejects.toThrow(
      'more than 10000 unfinished deliveries of toys.toy-sold.v1 wait for toys.unknown',
    );
  });

  test('does not read the events of subscribers that handle only one type, however many deliveries wait', async () => {
    await stage.query('TRUNCATE backbone.event, backbone.delivery');
    await stage.receive(ToySold({ toy: 'ball' }));
    const runner = stage.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query('LOCK TABLE backbone.event');

    await expect(stage.app.get(StartUpChecks).run()).resolves.toBeUndefined();

    await runner.rollbackTransaction();
    await runner.release();
  });

  test('refuses to publish an event while one of its reactions is not registered', async () => {
    const { EventEmitter2 } = await import('@nestjs/event-emitter');
    stage.app.get(EventEmitter2).removeAllListeners(ToyMade.type);
    stage.app.get(Script, { strict: false }).on('paint', async () => undefined);

    await expect(stage.receive(ToyMade({ toy: 'early' }))).rejects.toThrow('0 of 1 reactions');
  });
});
