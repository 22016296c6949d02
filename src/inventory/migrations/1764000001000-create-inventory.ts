import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createSchemaWithRole } from '../../common/database/roles.js';

/**
 * No statement writes a stock level: triggers compute it from the ledger and the reservations and refuse any other
 * change, and CHECK constraints refuse an impossible level. So levels, ledger and reservations always agree, even after
 * SQL by hand.
 */
export class CreateInventory1764000001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createSchemaWithRole(runner.manager, 'inventory');
    await runner.query(`
      CREATE TABLE inventory.product (
        sku             text        PRIMARY KEY,
        id              uuid        NOT NULL UNIQUE,
        name            text        NOT NULL,
        category        text        NOT NULL,
        unit_amount     bigint      NOT NULL CHECK (unit_amount >= 0),
        currency        char(3)     NOT NULL,
        status          text        NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'discontinued'))
      )`);
    await runner.query('CREATE INDEX product_category ON inventory.product (category, id)');

    await runner.query(`
      CREATE TABLE inventory.stock (
        sku           text    PRIMARY KEY REFERENCES inventory.product (sku),
        on_hand       bigint  NOT NULL DEFAULT 0,
        reserved      bigint  NOT NULL DEFAULT 0,
        reorder_level integer NOT NULL CHECK (reorder_level >= 0),
        CONSTRAINT stock_starts_empty_or_counts CHECK (on_hand >= 0 AND reserved >= 0),
        CONSTRAINT stock_is_never_oversold CHECK (reserved <= on_hand)
      ) WITH (fillfactor = 70)`);
    await runner.query(`
      CREATE TABLE inventory.movement (
        id         bigint      PRIMARY KEY,
        sku        text        NOT NULL REFERENCES inventory.stock (sku),
        kind       text        NOT NULL CHECK (kind IN ('receipt', 'adjustment', 'dispatch')),
        change     bigint      NOT NULL CHECK (change <> 0),
        on_hand    bigint      NOT NULL,
        reason     text        NOT NULL,
        booked_at  timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await runner.query('CREATE SEQUENCE inventory.movement_number OWNED BY inventory.movement.id');
    await runner.query('CREATE INDEX movement_sku ON inventory.movement (sku, id)');
    await runner.query(`
      CREATE TABLE inventory.reservation (
        order_id uuid    NOT NULL,
        sku      text    NOT NULL REFERENCES inventory.stock (sku),
        quantity integer NOT NULL CHECK (quantity > 0),
        state    text    NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'released', 'dispatched')),
        PRIMARY KEY (order_id, sku)
      )`);
    await runner.query("CREATE INDEX reservation_held ON inventory.reservation (sku) WHERE state = 'held'");
    await keepLevels(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE inventory.reservation, inventory.movement, inventory.stock, inventory.product');
    await runner.query(`
      DROP FUNCTION inventory.book_movement(), inventory.book_reservations(), inventory.book_outcomes(),
                    inventory.refuse_level(), inventory.refuse_rewriting()`);
  }
}

/**
 * A movement gets its number from the trigger, while the level is locked. So the numbers of a product have the sequence
 * of its levels, and an INSERT that gives a number of its own cannot collide with another movement after it has changed
 * the level.
 */
async function keepLevels(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE FUNCTION inventory.book_movement() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE inventory.stock SET on_hand = on_hand + NEW.change WHERE sku = NEW.sku RETURNING on_hand INTO NEW.on_hand;
      NEW.id := nextval('inventory.movement_number');
      RETURN NEW;
    END $$`);
  await runner.query(`
    CREATE TRIGGER movement_changes_level BEFORE INSERT ON inventory.movement
      FOR EACH ROW EXECUTE FUNCTION inventory.book_movement()`);

  await runner.query(`
    CREATE FUNCTION inventory.book_reservations() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE inventory.stock s SET reserved = reserved + held.quantity
        FROM (SELECT sku, sum(quantity) AS quantity FROM made WHERE state = 'held' GROUP BY sku) held
       WHERE s.sku = held.sku;
      RETURN NULL;
    END $$`);
  await runner.query(`
    CREATE TRIGGER reservation_takes_stock AFTER INSERT ON inventory.reservation REFERENCING NEW TABLE AS made
      FOR EACH STATEMENT EXECUTE FUNCTION inventory.book_reservations()`);

  await runner.query(`
    CREATE FUNCTION inventory.book_outcomes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM was JOIN became USING (order_id, sku)
                  WHERE was.state <> 'held' OR became.state = 'held' OR was.quantity <> became.quantity)
         OR (SELECT count(*) FROM was) <> (SELECT count(*) FROM was JOIN became USING (order_id, sku)) THEN
        RAISE EXCEPTION 'a reservation is held once and then released or dispatched' USING ERRCODE = 'check_violation';
      END IF;
      UPDATE inventory.stock s SET reserved = reserved - freed.quantity
        FROM (SELECT sku, sum(quantity) AS quantity FROM became GROUP BY sku) freed
       WHERE s.sku = freed.sku;
      RETURN NULL;
    END $$`);
  await runner.query(`
    CREATE TRIGGER reservation_frees_stock AFTER UPDATE ON inventory.reservation
      REFERENCING OLD TABLE AS was NEW TABLE AS became
      FOR EACH STATEMENT EXECUTE FUNCTION inventory.book_outcomes()`);

  await runner.query(`
    CREATE FUNCTION inventory.refuse_level() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'a stock level follows from movements and reservations' USING ERRCODE = 'check_violation';
      END IF;
      RETURN NEW;
    END $$`);
  await runner.query(`
    CREATE TRIGGER level_follows BEFORE UPDATE OF on_hand, reserved ON inventory.stock
      FOR EACH ROW EXECUTE FUNCTION inventory.refuse_level()`);
  await runner.query(`
    CREATE TRIGGER level_starts_at_zero BEFORE INSERT ON inventory.stock
      FOR EACH ROW WHEN (NEW.on_hand <> 0 OR NEW.reserved <> 0) EXECUTE FUNCTION inventory.refuse_level()`);

  await runner.query(`
    CREATE FUNCTION inventory.refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END $$`);
  await runner.query(`
    CREATE TRIGGER movement_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON inventory.movement
      FOR EACH STATEMENT EXECUTE FUNCTION inventory.refuse_rewriting()`);
  await runner.query(`
    CREATE TRIGGER reservation_stays BEFORE DELETE OR TRUNCATE ON inventory.reservation
      FOR EACH STATEMENT EXECUTE FUNCTION inventory.refuse_rewriting()`);
}
