import { journey } from '../support/journey.js';

test('of programs that start at the same time on an empty shop, one adds the demo data', () =>
  journey(async (stage) => {
    const settings = { DEMO_CATALOGUE: 'on' };
    const orders = async () => {
      const sql = 'SELECT reference FROM orders."order" ORDER BY reference';
      return (await stage.sql<{ reference: string }>(sql)).map(({ reference }) => reference);
    };

    await stage.shop({ DEMO_CATALOGUE: 'off' });
    // Long enough that all of them would find no products without mutual exclusion.
    await stage.sql(`CREATE FUNCTION slow_down() RETURNS trigger LANGUAGE plpgsql AS
                     $$ BEGIN PERFORM pg_sleep(3); RETURN NULL; END $$`);
    await stage.sql('CREATE TRIGGER slow_down AFTER INSERT ON inventory.product EXECUTE FUNCTION slow_down()');
    await Promise.all([stage.shop(settings), stage.shop(settings), stage.shop(settings)]);
    expect(await orders()).toEqual(['DEMO-1', 'DEMO-2', 'DEMO-3', 'DEMO-4']);

    await stage.shop({ ...settings, MODULES: 'orders' });
    expect(await orders()).toHaveLength(4);
  }));
