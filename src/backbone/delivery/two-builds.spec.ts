import { Injectable, type Type } from '@nestjs/common';
import { z } from 'zod';
import { ModuleStage } from '../../operations/testing/module-stage.js';
import { BusinessModule } from '../business-module.js';
import { SideEffect } from '../decorators.js';
import type { DeliveryRef } from '../delivery.js';
import { type DomainEvent, defineEvent } from '../domain-event.js';
import { StartUpChecks } from '../lifecycle/start-up-checks.js';
import { Subscriptions } from '../registry/subscriptions.js';
import { ToySold } from '../testing/toy-module.js';
import { Deliveries } from './deliveries.js';
import { DeliveryRunner } from './delivery-runner.js';

/** A version of an event and a field that only the later build has. */
const ToySoldAgain = defineEvent({ ...ToySold, type: 'toys.toy-sold.v2' });
const ToySoldWithColour = defineEvent({ ...ToySold, data: ToySold.data.extend({ colour: z.string().optional() }) });

let handled: string[];
let during: (note: string) => Promise<void>;

async function handle(name: string, { data }: DomainEvent<z.output<typeof ToySold.data>>): Promise<void> {
  await during(data.note);
  handled.push([name, data.note, ...('colour' in data ? [data.colour] : [])].join(' '));
}

@Injectable()
class EarlierReactions {
  @SideEffect(ToySold)
  async chime(event: ToySold): Promise<void> {
    await handle('earlier.chime', event);
  }

  @SideEffect(ToySold)
  async box(event: ToySold): Promise<void> {
    await handle('earlier.box', event);
  }
}

@Injectable()
class LaterReactions {
  @SideEffect(ToySoldWithColour, { name: 'toys.chime' })
  async ring(event: ToySold): Promise<void> {
    await handle('later.ring', event);
  }

  @SideEffect(ToySoldAgain)
  async box(event: ToySold): Promise<void> {
    await handle('later.box', event);
  }

  @SideEffect(ToySoldWithColour)
  async thank(event: ToySold): Promise<void> {
    await handle('later.thank', event);
  }
}

@Injectable()
class NextReactions {
  @SideEffect(ToySold, { retired: true })
  async box(event: ToySold): Promise<void> {
    await handle('next.box', event);
  }

  @SideEffect(ToySoldAgain, { orderingGroup: 'box' })
  async pack(event: ToySold): Promise<void> {
    await handle('next.pack', event);
  }
}

function toys(reactions: Type): Type {
  @BusinessModule({ name: 'toys', events: {}, controllers: [], providers: [reactions], entities: [], migrations: [] })
  class Toys {}
  return Toys;
}

let earlier: ModuleStage;
let later: ModuleStage;
let next: ModuleStage;

beforeAll(async () => {
  earlier = await ModuleStage.of(toys(EarlierReactions));
  later = await ModuleStage.of(toys(LaterReactions), {}, earlier);
  next = await ModuleStage.of(toys(NextReactions), {}, earlier);
});

afterAll(async () => {
  await next.close();
  await later.close();
  await earlier.close();
});

beforeEach(async () => {
  handled = [];
  during = async () => undefined;
  await later.query('TRUNCATE backbone.event, backbone.delivery, backbone.paused_subscriber');
});

interface Row extends DeliveryRef {
  readonly state: string;
  readonly attempts: number;
}

const deliveries = (subscriber: string) =>
  later.query<Row>(
    `SELECT event_id AS "eventId", subscriber, claims, state, attempts
       FROM backbone.delivery WHERE subscriber = $1 ORDER BY position`,
    [subscriber],
  );
const run = async (build: ModuleStage, { eventId, subscriber }: DeliveryRef) => {
  const ref = (await deliveries(subscriber)).find((each) => each.eventId === eventId);
  if (ref) await build.app.get(DeliveryRunner).run(ref);
};
/** The subscribers of the deliveries that the relay of a build would enqueue now. */
const overdueIn = async (build: ModuleStage) => {
  const names = build.app.get(Subscriptions).all.map(({ name }) => name);
  return (await build.app.get(Deliveries).takeOverdue(names, 100)).map(({ subscriber }) => subscriber).toSorted();
};
const sold = (note: string) => ({ toy: 'train', note });
const operate = (build: ModuleStage, operation: string, body: object = { reason: 'It is a test' }) =>
  build.post(`/v1/operations/subscriptions/${operation}`, body);

describe('a subscriber whose method has another name in the later build', () => {
  const chimes = () => deliveries('toys.chime');

  test('keeps its name, so either build runs the deliveries of both, in sequence and once', async () => {
    await earlier.receive(ToySold(sold('one')));
    await later.receive(ToySoldWithColour(sold('two')));
    await earlier.receive(ToySold(sold('three')));
    await later.receive(ToySoldWithColour(sold('four')));
    const [one, two, three, four] = await chimes();
    if (!one || !two || !three || !four) throw new Error('four deliveries are expected');

    for (const early of [two, three, four]) await Promise.all([run(earlier, early), run(later, early)]);
    expect(handled).toEqual([]);
    await run(later, one);
    await run(earlier, two);
    await Promise.all([run(later, three), run(earlier, three)]);
    await run(later, four);

    expect(handled).toEqual([
      'later.ring one',
      'earlier.chime two',
      expect.stringMatching(/^(later.ring|earlier.chime) three$/),
      'later.ring four',
    ]);
  });

  test('is not run by one build while the other handles a delivery, nor are later deliveries of the partition', async () => {
    await earlier.receive(ToySold(sold('one')));
    await later.receive(ToySoldWithColour(sold('two')));
    const [one, two] = await chimes();
    if (!one || !two) throw new Error('two deliveries are expected');
    during = async (note) => {
      if (note !== 'one') return;
      expect(await overdueIn(later)).toEqual([]);
      await run(later, one);
      await run(later, two);
    };

    await run(earlier, one);
    await run(later, two);

    expect(handled).toEqual(['earlier.chime one', 'later.ring two']);
    expect(await chimes()).toMatchObject([
      { state: 'done', attempts: 1 },
      { state: 'done', attempts: 1 },
    ]);
  });

  test('has its deliveries enqueued by the later build when the earlier one has stopped', async () => {
    await earlier.receive(ToySold(sold('left behind')));
    await later.query('UPDATE backbone.delivery SET due_at = clock_timestamp()');

    expect(await overdueIn(later)).toContain('toys.chime');
    for (const each of await chimes()) await run(later, each);

    expect(handled).toEqual(['later.ring left behind']);
  });

  test.each([
    ['earlier', () => [earlier, later] as const],
    ['later', () => [later, earlier] as const],
  ])('is paused in both builds through the %s one, and resumed through the other', async (_, inSequence) => {
    const [one, other] = inSequence();
    await operate(one, 'toys.chime/pause');
    await earlier.receive(ToySold(sold('early')));
    await later.receive(ToySoldWithColour(sold('late')));
    const runAll = async () => {
      for (const each of await chimes()) for (const build of [earlier, later]) await run(build, each);
    };

    await runAll();
    expect(handled).toEqual([]);
    await operate(other, 'toys.chime/resume');
    await runAll();

    expect(handled).toHaveLength(2);
  });

  test('is not run again when the other build replays it', async () => {
    await later.receive(ToySoldWithColour(sold('one')));
    for (const each of await chimes()) await run(later, each);

    const { body } = await operate(earlier, 'toys.chime/replay', {});

    expect(body).toMatchObject({ run: 0, suppressed: [{ reason: 'done', count: 1 }] });
  });
});

test('a field that only the later build has is dropped by the earlier one, and kept for the later one', async () => {
  await later.receive(ToySoldWithColour({ ...sold('one'), colour: 'red' }));
  await later.receive(ToySoldWithColour({ ...sold('two'), colour: 'blue' }));
  const [one, two] = await deliveries('toys.chime');
  if (!one || !two) throw new Error('two deliveries are expected');

  await run(earlier, one);
  await run(later, two);

  expect(handled).toEqual(['earlier.chime one', 'later.ring two blue']);
});

test('a job of a subscriber that only the later build has is left to it by the earlier one, and runs once', async () => {
  await later.receive(ToySoldWithColour(sold('new')));
  const [thanks] = await deliveries('toys.thank');
  if (!thanks) throw new Error('a delivery is expected');

  await run(earlier, thanks);
  expect(handled).toEqual([]);
  expect(await deliveries('toys.thank')).toMatchObject([{ state: 'pending', attempts: 0, claims: 0 }]);
  expect(await overdueIn(earlier)).toEqual([]);
  expect(await overdueIn(later)).toEqual(['toys.thank']);
  for (const build of [later, earlier, later]) await run(build, thanks);

  expect(handled).toEqual(['later.thank new']);
});

test('a build that receives a job of a delivery that another build runs does not cause another run', async () => {
  await later.receive(ToySoldWithColour(sold('new')));
  const [thanks] = await deliveries('toys.thank');
  if (!thanks) throw new Error('a delivery is expected');
  during = async () => earlier.app.get(DeliveryRunner).run({ ...thanks, claims: 1 });

  await run(later, thanks);

  expect(handled).toEqual(['later.thank new']);
  expect(await deliveries('toys.thank')).toMatchObject([{ state: 'done', claims: 1 }]);
});

test('an event version that a build does not handle is not run by it under the same name, and costs no attempt', async () => {
  await later.receive(ToySoldAgain(sold('second version')));
  await earlier.receive(ToySold(sold('first version')));
  const [second, first] = await deliveries('toys.box');
  if (!second || !first) throw new Error('two deliveries are expected');

  await run(earlier, second);
  expect(await deliveries('toys.box')).toMatchObject([{ state: 'pending', attempts: 0 }, { state: 'pending' }]);
  for (const build of [later, earlier]) for (const each of [second, first]) await run(build, each);

  expect(handled).toEqual(['later.box second version', 'earlier.box first version']);
});

describe('a handler that moves to the next version of an event, which is published beside the one before', () => {
  const publish = (build: ModuleStage, note: string) => build.receive(ToySold(sold(note)), ToySoldAgain(sold(note)));

  test('handles each fact once, from either build, in sequence, and leaves no delivery behind', async () => {
    await publish(earlier, 'one');
    await publish(next, 'two');
    await publish(earlier, 'three');
    await later.query(`DELETE FROM backbone.delivery WHERE subscriber = 'toys.chime'`);
    const all = [...(await deliveries('toys.box')), ...(await deliveries('toys.pack'))];

    expect(all.map(({ subscriber }) => subscriber)).toEqual(['toys.box', 'toys.box', 'toys.pack']);
    await next.app.get(StartUpChecks).run();
    for (let round = 1; round <= all.length; round += 1) for (const each of all.toReversed()) await run(next, each);

    expect(handled).toEqual(['next.box one', 'next.pack two', 'next.box three']);
  });

  test('is not run for old events by a replay of the retired one, and operators see that it is retired', async () => {
    await publish(next, 'one');

    expect((await operate(next, 'toys.box/replay', {})).body).toMatchObject({
      run: 0,
      suppressed: [{ reason: 'retired-subscriber', count: 1 }],
    });
    expect((await next.get('/v1/operations/subscriptions')).body.items).toMatchObject([
      { name: 'toys.box', retired: true },
      { name: 'toys.pack', retired: false },
    ]);
  });
});

describe('a roll-back to the earlier build', () => {
  const start = () => earlier.app.get(StartUpChecks).run();

  test('is refused while deliveries wait that the earlier build cannot handle, with their names, and then possible', async () => {
    await later.receive(ToySoldWithColour(sold('one')), ToySoldWithColour(sold('two')), ToySoldAgain(sold('three')));

    await expect(start()).rejects.toThrow('2 unfinished deliveries of toys.toy-sold.v1 wait for toys.thank');
    await expect(start()).rejects.toThrow('1 unfinished deliveries of toys.toy-sold.v2 wait for toys.box');
    await expect(start()).rejects.toThrow('run the build that has it until they are done or skipped');

    await later.runDeliveries();
    await start();
  });

  test('is possible at once where only deliveries of common subscribers wait, whatever the names of their methods', async () => {
    await later.receive(ToySoldWithColour(sold('one')));
    await later.query(`DELETE FROM backbone.delivery WHERE subscriber = 'toys.thank'`);

    await start();
    for (const each of await deliveries('toys.chime')) await run(earlier, each);

    expect(handled).toEqual(['earlier.chime one']);
  });
});
