import { ModuleStage } from '../../operations/testing/module-stage.js';
import { ToysModule } from '../testing/toy-module.js';
import { NEXT } from './next-in-partition.js';

const DONE = `
  WITH said AS (
    INSERT INTO backbone.event (id, subject, version, type, data, metadata, correlation_id, occurred_at)
    SELECT gen_random_uuid(), 'toy/' || nr, 1, 'ToySold.v1', '{}', '{}', 'shop', now() FROM generate_series(1, 1000) nr
    RETURNING id, subject, position)
  INSERT INTO backbone.delivery (event_id, subscriber, order_key, position, state, due_at)
  SELECT id, 'toys.count', subject, position, 'done', now() FROM said`;

const ONE_HAS_ENDED = `EXPLAIN WITH ended AS (SELECT 'toy/1' AS order_key, 1::bigint AS position, true AS passable) ${NEXT}`;

let stage: ModuleStage;

beforeAll(async () => {
  stage = await ModuleStage.of(ToysModule, { MODULE_ROLES: 'off', WORKERS: 'off' });
});

afterAll(() => stage.close());

test('what is next is found by its line, also where PostgreSQL believes that nothing waits', async () => {
  await stage.query(DONE);
  await stage.query('ANALYZE backbone.delivery');

  const plan = JSON.stringify(await stage.query(ONE_HAS_ENDED));

  expect(plan).toContain('delivery_unfinished');
  expect(plan).not.toContain('delivery_due');
});
