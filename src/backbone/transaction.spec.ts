import { runInContext } from '../common/context/context.js';
import { Database } from '../common/database/database.js';
import { NestedTransaction, RolledBack } from '../common/database/database-errors.js';
import { ModuleStage } from '../operations/testing/module-stage.js';
import { Dispatcher } from './queue/dispatcher.js';
import { Script, ToyForgotten, ToyMade, ToyPainted, ToySold, ToysModule, Workshop } from './testing/toy-module.js';
import type { Transaction, Transactions } from './transaction.js';

interface Row {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly version: number;
  readonly causation_id: string | null;
  readonly correlation_id: string;
}

describe('a transaction', () => {
  let stage: ModuleStage;
  let transactions: Transactions;
  let script: Script;

  beforeAll(async () => {
    stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off' });
    await stage.query('CREATE TABLE toy (name text PRIMARY KEY, state text NOT NULL)');
    transactions = stage.app.get(Workshop, { strict: false }).transactions;
    script = stage.app.get(Script, { strict: false });
  });

  afterAll(() => stage.close());

  afterEach(async () => {
    for (const handler of ['paint', 'sell', 'count'] as const) script.on(handler, async () => undefined);
    await stage.query('TRUNCATE toy');
  });

  const toys = () => stage.query<{ name: string }>('SELECT name FROM toy ORDER BY name');
  const eventsOf = (toy: string) =>
    stage.query<Row>('SELECT * FROM backbone.event WHERE subject = $1 ORDER BY position', [`toy/${toy}`]);
  const make = async (tx: Transaction, toy: string) => {
    await tx.manager.query(`INSERT INTO toy VALUES ($1, 'made')`, [toy]);
    tx.publish(ToyMade({ toy }));
  };

  test('stores rows, events and the changes of plain reactions in one commit', async () => {
    script.on('paint', async ({ data }, tx) => {
      if ('manager' in tx) await tx.manager.query(`UPDATE toy SET state = 'painted' WHERE name = $1`, [data.toy]);
    });

    await transactions.run((tx) => make(tx, 'duck'));

    expect(await stage.query('SELECT * FROM toy')).toEqual([{ name: 'duck', state: 'painted' }]);
    expect(await eventsOf('duck')).toMatchObject([{ type: ToyMade.type, version: 1, causation_id: null }]);
  });

  test('rolls back completely when a reaction throws', async () => {
    script.on('paint', async () => {
      throw new Error('no paint left');
    });

    await expect(transactions.run((tx) => make(tx, 'bear'))).rejects.toThrow('no paint left');

    expect(await toys()).toEqual([]);
    expect(await eventsOf('bear')).toEqual([]);
  });

  test('stores no delivery and enqueues no job when its COMMIT is refused', async () => {
    await stage.query('CREATE TABLE shelf (place text UNIQUE DEFERRABLE INITIALLY DEFERRED)');
    const stored = async () => [
      await stage.query('SELECT id FROM backbone.event'),
      await stage.query('SELECT event_id FROM backbone.delivery'),
      await stage.query('SELECT id FROM bullmq.job'),
    ];
    const before = await stored();

    const work = transactions.run(async (tx) => {
      await tx.manager.query(`INSERT INTO shelf VALUES ('top'), ('top')`);
      tx.publish(ToySold({ toy: 'puzzle' }));
    });

    await expect(work).rejects.toThrow('duplicate key');
    await stage.app.get(Dispatcher).idle();
    expect(await stored()).toEqual(before);
  });

  test('drains events first in, first out, and stores the cause of each', async () => {
    const handled: string[] = [];
    script.on('paint', async ({ data }, tx) => {
      handled.push(`paint ${data.note}`);
      if ('publish' in tx) tx.publish(ToyPainted({ toy: data.toy, note: data.note }));
    });
    script.on('sell', async ({ data }) => void handled.push(`sell ${data.note}`));

    await runInContext({ correlationId: 'request-1', causationId: null, actor: 'api' }, () =>
      transactions.run(async (tx) => {
        tx.publish(ToyMade({ toy: 'robot', note: 'first' }));
        tx.publish(ToyMade({ toy: 'robot', note: 'second' }));
      }),
    );

    expect(handled).toEqual(['paint first', 'paint second', 'sell first', 'sell second']);
    const events = await eventsOf('robot');
    expect(events.map(({ version }) => version)).toEqual([1, 2, 3, 4]);
    expect(events.map(({ causation_id }) => causation_id)).toEqual([null, null, events[0]?.id, events[1]?.id]);
    expect(new Set(events.map(({ correlation_id }) => correlation_id))).toEqual(new Set(['request-1']));
  });

  test('does not report success when its COMMIT rolled back', async () => {
    const work = transactions.run(async (tx) => {
      await make(tx, 'kite');
      await tx.manager.query(`INSERT INTO toy VALUES ('kite', 'again')`).catch(() => undefined);
    });

    await expect(work).rejects.toBeInstanceOf(Error);
    expect(await toys()).toEqual([]);
    expect(await eventsOf('kite')).toEqual([]);
  });

  test('fails when an error was swallowed, even if it wrote nothing', async () => {
    const work = stage.app.get(Database).transaction('toys', async ({ manager }) => {
      await manager.query('SELECT 1 / 0').catch(() => undefined);
    });

    await expect(work).rejects.toBeInstanceOf(RolledBack);
  });

  test('does not nest', async () => {
    await expect(transactions.run(() => transactions.run(async () => undefined))).rejects.toBeInstanceOf(
      NestedTransaction,
    );
  });

  test('opens no second connection, which could not read its uncommitted rows', async () => {
    await expect(transactions.run(() => transactions.read(async () => undefined))).rejects.toBeInstanceOf(
      NestedTransaction,
    );
  });

  test('accepts no event after its end', async () => {
    let late: Transaction | undefined;
    await transactions.run(async (tx) => {
      late = tx;
    });

    expect(() => late?.publish(ToyMade({ toy: 'late' }))).toThrow('after its transaction had ended');
  });

  test('stops an endless chain of events', async () => {
    script.on('paint', async ({ data }, tx) => {
      if ('publish' in tx) tx.publish(ToyMade({ toy: data.toy }));
    });

    await expect(transactions.run((tx) => make(tx, 'yoyo'))).rejects.toThrow('endless chain');
    expect(await eventsOf('yoyo')).toEqual([]);
  });

  test('numbers the events of a subject without gaps, however many transactions publish at the same time', async () => {
    const many = Array.from({ length: 12 }, () =>
      transactions.run(async (tx) => {
        await tx.manager.query(`SELECT pg_advisory_xact_lock(hashtext('train'))`);
        tx.publish(ToyForgotten({ toy: 'train' }));
      }),
    );
    await Promise.all(many);

    const versions = (await eventsOf('train')).map(({ version }) => version);
    expect(versions).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
  });

  test('runs again after a collision of two transactions on a version', async () => {
    const pair = [1, 2].map(() => transactions.run(async (tx) => tx.publish(ToyForgotten({ toy: 'boat' }))));
    await Promise.all(pair);

    expect((await eventsOf('boat')).map(({ version }) => version)).toEqual([1, 2]);
  });

  test('stores one delivery for each durable subscriber', async () => {
    await transactions.run(async (tx) => tx.publish(ToySold({ toy: 'drum' })));

    const [event] = await eventsOf('drum');
    const deliveries = await stage.query(
      'SELECT subscriber, state FROM backbone.delivery WHERE event_id = $1 ORDER BY 1',
      [event?.id],
    );
    expect(deliveries).toEqual(
      ['toys.count', 'toys.ring', 'toys.wrap'].map((subscriber) => ({ subscriber, state: 'pending' })),
    );
  });
});
