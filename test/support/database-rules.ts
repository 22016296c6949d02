import type { Client } from 'pg';
import { roleOf } from '../../src/common/database/roles.js';
import { schemasInSql } from './source-rules.js';

/** SQL for the schema of a database object. Some objects have a schema only through their table. */
const SCHEMA_OF = (catalogue: string, object: string, column: string): string => `
  CASE ${catalogue}
    WHEN 'pg_rewrite'::regclass THEN (SELECT c.relnamespace::regnamespace::text FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE r.oid = ${object})
    WHEN 'pg_trigger'::regclass THEN (SELECT c.relnamespace::regnamespace::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE t.oid = ${object})
    WHEN 'pg_policy'::regclass THEN (SELECT c.relnamespace::regnamespace::text FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE p.oid = ${object})
    WHEN 'pg_attrdef'::regclass THEN (SELECT c.relnamespace::regnamespace::text FROM pg_attrdef a JOIN pg_class c ON c.oid = a.adrelid WHERE a.oid = ${object})
    ELSE (pg_identify_object(${catalogue}, ${object}, ${column})).schema
  END`;

/** All references between schemas of a database: foreign keys, dependencies, bodies of functions, and grants. */
export async function crossings(client: Client, schemas: readonly string[]): Promise<string[]> {
  return [
    ...(await foreignKeys(client, schemas)),
    ...(await dependencies(client, schemas)),
    ...(await bodies(client, schemas)),
    ...(await grants(client, schemas)),
  ];
}

async function foreignKeys(client: Client, schemas: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ sentence: string }>(
    `SELECT format('foreign key: %s refers to %s', conrelid::regclass, confrelid::regclass) AS sentence
       FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
      WHERE k.contype = 'f' AND t.relnamespace <> f.relnamespace
        AND (t.relnamespace::regnamespace::text = ANY ($1) OR f.relnamespace::regnamespace::text = ANY ($1))`,
    [schemas],
  );
  return rows.map(({ sentence }) => sentence);
}

/** Views, triggers, defaults and functions on tables of another schema. */
async function dependencies(client: Client, schemas: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ sentence: string }>(
    `SELECT DISTINCT format('dependency: %s needs %s', pg_describe_object(classid, objid, 0), pg_describe_object(refclassid, refobjid, 0)) AS sentence
       FROM (SELECT *, ${SCHEMA_OF('classid', 'objid', 'objsubid')} AS own, ${SCHEMA_OF('refclassid', 'refobjid', 'refobjsubid')} AS other
               FROM pg_depend WHERE classid <> 'pg_constraint'::regclass) d
      WHERE own = ANY ($1) AND other = ANY ($1) AND own <> other`,
    [schemas],
  );
  return rows.map(({ sentence }) => sentence);
}

/** PostgreSQL records no dependencies for the bodies of functions. */
async function bodies(client: Client, schemas: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ schema: string; name: string; body: string }>(
    `SELECT pronamespace::regnamespace::text AS schema, proname AS name, prosrc AS body
       FROM pg_proc WHERE pronamespace::regnamespace::text = ANY ($1)`,
    [schemas],
  );
  return rows.flatMap(({ schema, name, body }) =>
    schemasInSql(body)
      .filter((named) => schemas.includes(named) && named !== schema)
      .map((named) => `body: function ${schema}.${name} uses ${named}`),
  );
}

/** Privileges of the role of one schema in another schema, direct or inherited. */
async function grants(client: Client, schemas: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ sentence: string }>(
    `WITH pair AS (
       SELECT own.role, other.schema FROM unnest($1::text[], $2::text[]) AS own (schema, role)
         JOIN unnest($1::text[]) AS other (schema) ON other.schema <> own.schema)
     SELECT format('grant: %s may use schema %s', role, nspname) AS sentence
       FROM pair JOIN pg_namespace ON nspname = schema
      WHERE has_schema_privilege(role, nspname, 'USAGE, CREATE')
      UNION ALL
     SELECT format('grant: %s may use %s', role, c.oid::regclass)
       FROM pair JOIN pg_class c ON relnamespace::regnamespace::text = schema AND relkind IN ('r', 'v', 'm', 'p', 'f')
      WHERE has_table_privilege(role, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
         OR has_any_column_privilege(role, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
      UNION ALL
     SELECT format('grant: %s may use what is added to %s', role, schema)
       FROM pair JOIN pg_default_acl ON defaclnamespace::regnamespace::text = schema,
            aclexplode(defaclacl) AS granted
      WHERE granted.grantee IN (role::regrole, 0)`,
    [schemas, schemas.map(roleOf)],
  );
  return rows.map(({ sentence }) => sentence);
}
