import type { DataSource, EntityManager } from 'typeorm';
import { ConfigInvalid } from '../config/environment.js';

/** The database role under which a module's SQL runs where roles are enforced. */
export function roleOf(module: string): string {
  if (!/^[a-z]+$/.test(module)) throw new TypeError(`${module} is not a module name: use only the letters a to z`);
  return `orderly_${module}`;
}

/** Creates a schema if it does not exist. An account that may not create schemas can use one that was given to it. */
export async function createSchema(manager: Pick<EntityManager, 'query'>, name: string): Promise<void> {
  await manager.query(`
    DO $$
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '${name}') THEN
        CREATE SCHEMA ${name};
      END IF;
    END $$`);
}

/**
 * Creates a schema, and a role that may use this schema and no other. Roles belong to the whole server, so the role may
 * exist already. An account that may not create roles, or not act as roles of another account, gets the schema without
 * a role, and cannot use MODULE_ROLES=enforced.
 */
export async function createSchemaWithRole(manager: Pick<EntityManager, 'query'>, module: string): Promise<void> {
  const role = roleOf(module);
  await createSchema(manager, module);
  await manager.query(`
    DO $$
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN
        BEGIN
          CREATE ROLE ${role} NOLOGIN;
        EXCEPTION
          WHEN duplicate_object OR unique_violation THEN NULL;
        END;
      END IF;
      GRANT USAGE ON SCHEMA ${module} TO ${role};
      ALTER DEFAULT PRIVILEGES IN SCHEMA ${module} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${role};
      ALTER DEFAULT PRIVILEGES IN SCHEMA ${module} GRANT USAGE ON SEQUENCES TO ${role};
      GRANT ${role} TO CURRENT_USER;
    EXCEPTION
      WHEN insufficient_privilege THEN
        RAISE NOTICE 'no role ${role}: this account may not create it, or not act as it';
    END $$`);
}

/** Since PostgreSQL 16 a member of a role may act as it only with the SET option of the grant. */
const SELECT_UNUSABLE = `
  SELECT wanted.role
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted(schema, role, place)
    LEFT JOIN pg_roles r ON r.rolname = wanted.role
    LEFT JOIN pg_namespace n ON n.nspname = wanted.schema
   WHERE NOT coalesce(
           pg_has_role(r.oid, CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END)
           AND has_schema_privilege(r.oid, n.oid, 'USAGE')
           AND NOT EXISTS (SELECT FROM pg_class c
                            WHERE c.relnamespace = n.oid AND c.relkind = 'r' AND c.relname <> 'migration'
                              AND NOT has_table_privilege(r.oid, c.oid, 'SELECT')), false)
   ORDER BY place`;

/**
 * Checks that this account may act as each module's role, and that the role may use the module's tables.
 * @throws {ConfigInvalid} with the names of the other roles
 */
export async function assertRolesUsable(dataSource: DataSource, modules: readonly string[]): Promise<void> {
  const schemas = ['backbone', ...modules];
  const unusable: { role: string }[] = await dataSource.query(SELECT_UNUSABLE, [schemas, schemas.map(roleOf)]);
  if (unusable.length === 0) return;
  const roles = unusable.map(({ role }) => role).join(', ');
  throw new ConfigInvalid([
    `MODULE_ROLES: this account may not act as ${roles} in this database: have an administrator run what docs/operations.md has under "A role for each module", or set MODULE_ROLES=off`,
  ]);
}
