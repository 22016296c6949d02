import type { EntityManager } from 'typeorm';

/** The database role under which a module's SQL runs where roles are enforced. */
export function roleOf(module: string): string {
  if (!/^[a-z]+$/.test(module)) throw new TypeError(`${module} is no name for a module`);
  return `orderly_${module}`;
}

/**
 * Gives a schema a role that may use this schema and no other. Roles belong to the whole server, so one may exist
 * already; an account that may not create roles goes without, and MODULE_ROLES=enforced is then not available to it.
 */
export async function createSchemaWithRole(manager: Pick<EntityManager, 'query'>, module: string): Promise<void> {
  const role = roleOf(module);
  await manager.query(`CREATE SCHEMA IF NOT EXISTS ${module}`);
  await manager.query(`
    DO $$
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN
        BEGIN
          CREATE ROLE ${role} NOLOGIN;
        EXCEPTION
          WHEN duplicate_object OR unique_violation THEN NULL;
          WHEN insufficient_privilege THEN
            RAISE NOTICE 'no role ${role}: this account may not create roles';
            RETURN;
        END;
      END IF;
      GRANT USAGE ON SCHEMA ${module} TO ${role};
      ALTER DEFAULT PRIVILEGES IN SCHEMA ${module} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${role};
      ALTER DEFAULT PRIVILEGES IN SCHEMA ${module} GRANT USAGE ON SEQUENCES TO ${role};
      GRANT ${role} TO CURRENT_USER;
    END $$`);
}
