import { randomUUID } from 'node:crypto';
import { DeliveryRunner } from '../../backbone/delivery/delivery-runner.js';
import { Relay } from '../../backbone/delivery/relay.js';
import { GiveUp, RetryLater } from '../../backbone/outcomes.js';
import { Script, ToyForgotten, ToySold, ToysModule } from '../../backbone/testing/toy-module.js';
import { ModuleStage } from '../../operations/testing/module-stage.js';

let stage: ModuleStage;
let script: Script;

beforeAll(async () => {
  stage = await ModuleStage.of(ToysModule);
  script = stage.app.get(Script, { strict: false });
});

afterAll(() => stage.close());

beforeEach(() => stage.query('TRUNCATE backbone.event, backbone.delivery, backbone.paused_subscriber'));

afterEach(() => {
  for (const handler of ['count', 'ring', 'wrap'] as const) script.on(handler, async () => undefined);
});

let now = performance.now();

/** The clock moves forward, so that results of slow reads are not reused. */
async function scrape(): Promise<string> {
  now += 10_000;
  const clock = jest.spyOn(performance, 'now').mockReturnValue(now);
  try {
    return (await stage.get('/metrics')).body;
  } finally {
    clock.mockRestore();
  }
}

/** The values of one metric by its labels, in the text format of Prometheus. */
async function valuesOf(metric: string): Promise<Record<string, number>> {
  const lines = [...(await scrape()).matchAll(new RegExp(`^${metric}(?:\\{(.*)\\})? (.+)$`, 'gm'))];
  return Object.fromEntries(lines.map(([, labels = '', value]) => [labels, Number(value)]));
}

/** The growth of the values of a metric while the work runs, without the values that do not change. */
async function growthOf(metric: string, work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await valuesOf(metric);
  await work();
  const growth = Object.entries(await valuesOf(metric)).map(
    ([labels, value]) => [labels, value - (before[labels] ?? 0)] as const,
  );
  return Object.fromEntries(growth.filter(([, by]) => by !== 0));
}

const sold = () => stage.receive(ToySold({ toy: randomUUID() }));

test('every metric has a name that ends with its unit or with total, and a help sentence', async () => {
  const { status, headers, body } = await stage.get('/metrics');

  expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  const described = [...body.matchAll(/^# HELP (orderly_\S+) (.+)\n# TYPE \1 (\w+)$/gm)];
  expect(described.length).toBeGreaterThan(10);
  for (const [, name, help, type] of described) {
    expect(help).toMatch(/^[A-Z].*\.$/);
    expect([name, name?.endsWith('_total')]).toEqual([name, type === 'counter']);
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  }
  expect(body).toMatch(/^process_resident_memory_bytes \d+$/m);
  expect(body).toMatch(/^orderly_build_info\{version="\d+\.\d+\.\d+"\} 1$/m);
});

test('counters start at zero, so that the first increase is visible', async () => {
  const transactions = await valuesOf('orderly_transactions_total');
  const attempts = await valuesOf('orderly_delivery_attempts_total');

  for (const module of ['backbone', 'toys'])
    expect(transactions).toMatchObject({ [`module="${module}",outcome="unknown"`]: 0 });
  for (const outcome of ['done', 'retried', 'postponed', 'dead', 'suppressed', 'lost'])
    expect(attempts).toMatchObject({ [`subscriber="toys.ring",outcome="${outcome}"`]: 0 });
});

test('pending and dead deliveries are counted for each subscriber, zero included', async () => {
  script.on('ring', async () => {
    throw new GiveUp('the bell is cracked');
  });
  await sold();
  await stage.runDeliveries();
  await sold();
  await stage.query(`INSERT INTO backbone.paused_subscriber (subscriber, reason) VALUES ('toys.count', 'why not')`);

  expect(await valuesOf('orderly_deliveries')).toEqual({
    'subscriber="toys.paint",state="pending"': 0,
    'subscriber="toys.paint",state="dead"': 0,
    'subscriber="toys.sell",state="pending"': 0,
    'subscriber="toys.sell",state="dead"': 0,
    'subscriber="toys.count",state="pending"': 1,
    'subscriber="toys.count",state="dead"': 0,
    'subscriber="toys.ring",state="pending"': 1,
    'subscriber="toys.ring",state="dead"': 1,
    'subscriber="toys.wrap",state="pending"': 1,
    'subscriber="toys.wrap",state="dead"': 0,
  });
  expect(await valuesOf('orderly_delivery_overdue_seconds')).toMatchObject({ 'subscriber="toys.count"': 0 });
  expect(await valuesOf('orderly_subscriber_paused')).toMatchObject({
    'subscriber="toys.count"': 1,
    'subscriber="toys.ring"': 0,
  });
});

test('the age of the oldest pending, and of the oldest unclaimed, event of a subscriber is reported', async () => {
  const [delivery] = await stage.receiveAsDeliveries(ToySold({ toy: randomUUID() }));
  const hourAgo = (Date.now() - 3_600_000).toString(16).padStart(12, '0');
  const old = `${hourAgo.slice(0, 8)}-${hourAgo.slice(8)}${delivery?.eventId.slice(13)}`;
  await stage.dataSource.transaction(async (manager) => {
    await manager.query('SET LOCAL session_replication_role = replica');
    await manager.query(`UPDATE backbone.delivery SET event_id = $1 WHERE subscriber = 'toys.wrap'`, [old]);
  });

  expect(await valuesOf('orderly_delivery_oldest_pending_seconds')).toMatchObject({
    'subscriber="toys.wrap"': expect.closeTo(3_600, -3),
    'subscriber="toys.paint"': 0,
  });
  const overdue = () => valuesOf('orderly_delivery_overdue_seconds');
  await stage.query(`UPDATE backbone.delivery SET due_at = now() + interval '15 seconds'`);
  expect(await overdue()).toMatchObject({ 'subscriber="toys.wrap"': expect.closeTo(3_600, -3) });
  await stage.query(`UPDATE backbone.delivery SET claims = 1 WHERE subscriber = 'toys.wrap'`);
  expect(await overdue()).toMatchObject({ 'subscriber="toys.wrap"': 0 });
  await stage.query(`INSERT INTO backbone.delivery (event_id, subscriber, order_key, position, due_at)
                   SELECT e.id, d.subscriber, d.order_key, d.position + 1, now() FROM backbone.event e, backbone.delivery d
                    WHERE d.subscriber = 'toys.wrap'`);
  expect(await overdue()).toMatchObject({ 'subscriber="toys.wrap"': 0 });
});

test('the overdue age is 0 from the first scrape after a pause, although the backlog is not counted again', async () => {
  await sold();
  const ringOverdue = /^orderly_delivery_overdue_seconds\{subscriber="toys.ring"\} (.+)$/m;
  expect(Number(ringOverdue.exec(await scrape())?.[1])).toBeGreaterThan(0);

  await stage.query(`INSERT INTO backbone.paused_subscriber (subscriber, reason) VALUES ('toys.ring', 'why not')`);

  expect(ringOverdue.exec((await stage.get('/metrics')).body)?.[1]).toBe('0');
});

test('attempts are counted by their outcome, also those of superfluous jobs', async () => {
  const outcomes = [
    async () => undefined,
    async () => {
      throw new Error('the bell is stuck');
    },
    async () => {
      throw new RetryLater(1_000);
    },
    async () => {
      throw new GiveUp('the bell is cracked');
    },
  ];
  const runner = stage.app.get(DeliveryRunner);
  const growth = await growthOf('orderly_delivery_attempts_total', async () => {
    for (const outcome of outcomes) {
      script.on('ring', outcome);
      const job = (await stage.receiveAsDeliveries(ToySold({ toy: randomUUID() }))).find((each) =>
        each.subscriber.endsWith('ring'),
      );
      if (job) for (const run of [runner.run(job), runner.run(job)]) await run;
    }
  });

  const ring = (outcome: string) => `subscriber="toys.ring",outcome="${outcome}"`;
  expect(growth).toEqual({
    [ring('done')]: 1,
    [ring('retried')]: 1,
    [ring('postponed')]: 1,
    [ring('dead')]: 1,
    [ring('suppressed')]: 4,
  });
});

test('an attempt whose lease was lost is counted as lost', async () => {
  script.on('ring', async () => {
    await stage.query(`UPDATE backbone.delivery SET claims = claims + 1 WHERE subscriber = 'toys.ring'`);
  });
  await sold();

  const growth = await growthOf('orderly_delivery_attempts_total', () => stage.runDeliveries());

  expect(growth).toMatchObject({ 'subscriber="toys.ring",outcome="lost"': 1 });
});

test('handlers are measured in all modes, and events are counted when they are committed', async () => {
  const handled = await growthOf('orderly_handler_duration_seconds_count', async () => {
    await sold();
    await stage.runDeliveries();
  });
  const published = await growthOf('orderly_events_published_total', async () => {
    await stage.receive(ToySold({ toy: 'a' }), ToySold({ toy: 'b' }), ToyForgotten({ toy: 'c' }));
    await expect(
      stage.receive(ToySold({ toy: 'd' }), { type: ToySold.type, subject: '', data: undefined }),
    ).rejects.toThrow('null value');
  });

  expect(handled).toEqual(
    Object.fromEntries(['count', 'ring', 'wrap'].map((handler) => [`subscriber="toys.${handler}"`, 1])),
  );
  expect(published).toEqual({ 'type="toys.toy-sold.v1"': 2, 'type="toys.toy-forgotten.v1"': 1 });
});

test('requests are measured by the patterns of their routes, also those without a route', async () => {
  await stage.app.listen(0, '127.0.0.1');
  const url = await stage.app.getUrl();
  const growth = await growthOf('orderly_http_request_duration_seconds_count', async () => {
    for (const path of ['v1/events?subject=a', 'v1/events?subject=b', `no/such/place/${randomUUID()}`])
      await (await fetch(`${url}/${path}`)).text();
    const skip = `${url}/v1/operations/deliveries/${randomUUID()}.toys.ring/skip`;
    await (await fetch(skip, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })).text();
  });

  expect(growth).toMatchObject({
    'method="GET",route="/v1/events",status="200"': 2,
    'method="POST",route="/v1/operations/deliveries/:id/skip",status="400"': 1,
    'method="GET",route="none",status="404"': 1,
  });
});

test('the relay reports the time of its last round', async () => {
  expect(await valuesOf('orderly_loop_last_round_timestamp_seconds')).toEqual({});
  const relay = stage.app.get(Relay);
  relay.start();
  await relay.stop();

  const { 'loop="relay"': at } = await valuesOf('orderly_loop_last_round_timestamp_seconds');
  expect(at).toBeLessThanOrEqual(Date.now() / 1_000);
});

test('connections are counted, and callers that wait for one', async () => {
  const runners = Array.from({ length: 3 }, () => stage.dataSource.createQueryRunner());
  for (const runner of runners) await runner.connect();

  const connections = await valuesOf('orderly_database_connections');
  for (const runner of runners) await runner.release();

  expect(connections).toMatchObject({ 'state="in_use"': 3, 'state="waiting"': 0 });
  expect(await valuesOf('orderly_database_connections_max')).toEqual({ '': 5 });
});

const COUNTED_AT = /^orderly_deliveries_counted_timestamp_seconds .+$/m;

/** A scrape while a table is missing. */
const scrapeWithout = async (table: string): Promise<string> => {
  await stage.query(`ALTER TABLE backbone.${table} RENAME TO away`);
  try {
    return await scrape();
  } finally {
    await stage.query(`ALTER TABLE backbone.away RENAME TO ${table}`);
  }
};

test('a scrape during an outage returns the metrics that need no database', async () => {
  await sold();
  const [counted] = COUNTED_AT.exec(await scrape()) ?? [];
  const during = await scrapeWithout('paused_subscriber');

  expect(during).toMatch(/^orderly_database_up 0$/m);
  expect(COUNTED_AT.exec(during)?.[0]).toBe(counted);
  expect(during).not.toMatch(/^orderly_deliveries\{/m);
  expect(during).toMatch(/^orderly_events_published_total\{.*\} \d+$/m);
  expect(await scrape()).toMatch(/^orderly_database_up 1$/m);
});

test('a backlog that cannot be counted keeps its last values, and other metrics are not affected', async () => {
  await sold();
  const [before] = COUNTED_AT.exec(await scrape()) ?? [];
  await stage.query('DELETE FROM backbone.delivery');
  const during = await scrapeWithout('delivery');

  expect(during).toMatch(/^orderly_database_up 1$/m);
  expect(during).toMatch(/^orderly_deliveries\{subscriber="toys.ring",state="pending"\} 1$/m);
  expect(during).toMatch(/^orderly_subscriber_paused\{subscriber="toys.ring"\} 0$/m);
  expect(COUNTED_AT.exec(during)?.[0]).toBe(before);
  expect(await scrape()).toMatch(/^orderly_deliveries\{subscriber="toys.ring",state="pending"\} 0$/m);
});

test('a scrape does not wait for a database that does not answer', async () => {
  const holder = stage.dataSource.createQueryRunner();
  await holder.startTransaction();
  await holder.query('LOCK TABLE backbone.paused_subscriber');

  const answers = await Promise.all([stage.get('/metrics'), stage.get('/metrics')]);
  await holder.rollbackTransaction();
  await holder.release();

  for (const { body } of answers) expect(body).toMatch(/^orderly_database_up 0$/m);
  expect(await scrape()).toMatch(/^orderly_database_up 1$/m);
});
