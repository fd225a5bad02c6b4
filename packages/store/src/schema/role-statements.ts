import { quoteName, quoteText } from '../connection/database-url.ts';

/** The three roles of a Landline database: who owns the tables and migrates, who applies events, who only reads. */
export const ROLES = ['owner', 'worker', 'reader'] as const;

/** One of the three. */
export type Role = (typeof ROLES)[number];

/** The roles' names: small letters, digits and underscores, so that they need no quotation marks. */
export type RoleNames = Readonly<Record<Role, string>>;

/**
 * What the roles may do, in the order in which it is granted. docs/postgres.md has the same to type by hand.
 *
 * The admin joins the owner first: without being a superuser it could not give away its tables, nor set the owner's defaults.
 */
export function grantStatements({ owner, worker, reader }: RoleNames, schema: string): string[] {
  const inSchema = `IN SCHEMA ${quoteName(schema)}`;
  const ofOwner = `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} ${inSchema}`;
  return [
    // A superuser is a member of every role already.
    `DO $$ BEGIN
       IF NOT pg_has_role('${owner}', 'USAGE') THEN GRANT ${owner} TO CURRENT_USER; END IF;
     END $$`,
    `DO $$ BEGIN
       EXECUTE format('GRANT CONNECT ON DATABASE %I TO ${owner}, ${worker}, ${reader}', current_database());
       EXECUTE format('GRANT CREATE ON DATABASE %I TO ${owner}', current_database());
     END $$`,
    `CREATE SCHEMA IF NOT EXISTS ${quoteName(schema)}`,
    // Before Postgres 15 everybody might make tables in public.
    `REVOKE CREATE ON SCHEMA ${quoteName(schema)} FROM PUBLIC`,
    `GRANT USAGE, CREATE ON SCHEMA ${quoteName(schema)} TO ${owner}`,
    `GRANT USAGE ON SCHEMA ${quoteName(schema)} TO ${worker}, ${reader}`,
    `${ofOwner} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${worker}`,
    `${ofOwner} GRANT USAGE, SELECT ON SEQUENCES TO ${worker}`,
    `${ofOwner} GRANT SELECT ON TABLES TO ${reader}`,
    // Nobody who may only read should find out by a half-done statement that a function writes.
    `ALTER ROLE ${reader} SET default_transaction_read_only = on`,
  ];
}

/**
 * The functions by which the worker, who owns no table, makes and drops partitions, rebuilds tables, and makes those of a rebuild forget. They work
 * with their owner's rights, so that must be the tables' owner.
 */
const WORKER_FUNCTIONS = [
  'landline_make_body_partitions',
  'landline_drop_body_partition',
  'landline_forget_in_kept_tables',
  'landline_rebuild',
];

/**
 * Gives the owner every table of the schema that the admin owns, and Landline's functions, and grants what the others may do with them. Sequences of
 * a column go with their table. Members of an extension stay: they belong to it. Nobody needs rights on a partition itself. The records of
 * the migrations are the owner's alone to write, or a worker that tried to migrate would leave a failed one in them.
 */
export function moveTablesStatement({ owner, worker, reader }: RoleNames, schema: string): string {
  const ours = `IN ((SELECT oid FROM pg_roles WHERE rolname = CURRENT_USER), '${owner}'::regrole)`;
  const place = `to_regnamespace(${quoteText(quoteName(schema))})`;
  return `DO $$
DECLARE
  found_table record;
  found_function record;
BEGIN
  FOR found_table IN
    SELECT c.oid::regclass AS name, c.relname, c.relowner <> '${owner}'::regrole AS is_to_move, c.relispartition FROM pg_class c
    WHERE c.relnamespace = ${place} AND c.relkind IN ('r', 'p') AND c.relowner ${ours}
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.oid
  LOOP
    IF found_table.is_to_move THEN
      EXECUTE format('ALTER TABLE %s OWNER TO ${owner}', found_table.name);
    END IF;
    CONTINUE WHEN found_table.relispartition;
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO ${worker}', found_table.name);
    EXECUTE format('GRANT SELECT ON %s TO ${reader}', found_table.name);
    IF found_table.relname = '_prisma_migrations' THEN
      EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %s FROM ${worker}', found_table.name);
    END IF;
  END LOOP;
  FOR found_function IN
    SELECT p.oid::regprocedure AS name, p.proname, p.proowner <> '${owner}'::regrole AS is_to_move FROM pg_proc p
    WHERE p.pronamespace = ${place} AND p.proname LIKE 'landline\\_%' AND p.proowner ${ours}
  LOOP
    IF found_function.is_to_move THEN
      EXECUTE format('ALTER FUNCTION %s OWNER TO ${owner}', found_function.name);
    END IF;
    IF found_function.proname = ANY ('{${WORKER_FUNCTIONS.join()}}') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ${worker}', found_function.name);
    END IF;
  END LOOP;
END $$`;
}
