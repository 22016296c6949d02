import type { EntityManager } from 'typeorm';

/** The database role under which a module's SQL runs where roles are enforced. */
export function roleOf(module: string): string {
  if (!/^[a-z]+$/.test(module)) throw new TypeError(`${module} is no name for a module`);
  return `orderly_${module}`;
}

/** Makes a schema where there is none. One that was made for this account needs no right to make others. */
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
 * Makes a schema, and gives it a role that may use this schema and no other. Roles belong to the whole server, so one
 * may exist already. An account that may not create roles, or not take on those of somebody else, goes without, and
 * MODULE_ROLES=enforced is then not available to it.
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
        RAISE NOTICE 'no role ${role}: this account may not create it, or not take it on';
    END $$`);
}
