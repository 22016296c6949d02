import type { DataSource } from 'typeorm';
import { ConfigInvalid } from '../config/environment.js';
import { roleOf } from './roles.js';

/** Since PostgreSQL 16 a member of a role may take it on only if it was given that right too. */
const UNFIT = `
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
 * Every module has a role that this account may take on, and that may use the module's tables.
 * @throws {ConfigInvalid} naming those of which that is not true
 */
export async function assertRolesUsable(dataSource: DataSource, modules: readonly string[]): Promise<void> {
  const schemas = ['backbone', ...modules];
  const unfit: { role: string }[] = await dataSource.query(UNFIT, [schemas, schemas.map(roleOf)]);
  if (unfit.length === 0) return;
  const roles = unfit.map(({ role }) => role).join(', ');
  throw new ConfigInvalid([
    `MODULE_ROLES: this account may not act as ${roles} in this database: have an administrator run what docs/operations.md has under "A role for each module", or set MODULE_ROLES=off`,
  ]);
}
