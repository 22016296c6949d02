import { journey } from '../support/journey.js';

test('programs that start together on an empty shop take turns, and fill it once', () =>
  journey(async (stage) => {
    const settings = { DEMO_CATALOGUE: 'on' };
    const orders = async () => {
      const sql = 'SELECT reference FROM orders."order" ORDER BY reference';
      return (await stage.sql<{ reference: string }>(sql)).map(({ reference }) => reference);
    };

    await stage.shop({ DEMO_CATALOGUE: 'off' });
    // Long enough for all of them to find no products, if they looked at the same time.
    await stage.sql(`CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
                     $$ BEGIN PERFORM pg_sleep(3); RETURN NULL; END $$`);
    await stage.sql('CREATE TRIGGER dawdle AFTER INSERT ON inventory.product EXECUTE FUNCTION dawdle()');
    await Promise.all([stage.shop(settings), stage.shop(settings), stage.shop(settings)]);
    expect(await orders()).toEqual(['DEMO-1', 'DEMO-2', 'DEMO-3', 'DEMO-4']);

    await stage.shop({ ...settings, MODULES: 'orders' });
    expect(await orders()).toHaveLength(4);
  }));
