import { ModuleStage } from '../../operations/testing/module-stage.js';
import { ToysModule } from '../testing/toy-module.js';
import { SELECT_NEXT } from './next-in-partition.js';

const INSERT_DONE = `
  WITH published AS (
    INSERT INTO backbone.event (id, subject, version, type, data, metadata, correlation_id, occurred_at)
    SELECT gen_random_uuid(), 'toy/' || nr, 1, 'ToySold.v1', '{}', '{}', 'shop', now() FROM generate_series(1, 1000) nr
    RETURNING id, subject, position)
  INSERT INTO backbone.delivery (event_id, subscriber, order_key, position, state, due_at)
  SELECT id, 'toys.count', subject, position, 'done', now() FROM published`;

const EXPLAIN_NEXT = `EXPLAIN WITH ended AS (SELECT 'toy/1' AS order_key, 1::bigint AS position, true AS frees_partition) ${SELECT_NEXT}`;

let stage: ModuleStage;

beforeAll(async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off', WORKERS: 'off' });
});

afterAll(() => stage.close());

test('the next delivery is found by its partition, also where the statistics of PostgreSQL say that nothing is pending', async () => {
  await stage.query(INSERT_DONE);
  await stage.query('ANALYZE backbone.delivery');

  const plan = JSON.stringify(await stage.query(EXPLAIN_NEXT));

  expect(plan).toContain('delivery_unfinished');
  expect(plan).not.toContain('delivery_due');
});
