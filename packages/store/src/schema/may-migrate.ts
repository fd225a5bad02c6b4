import { quoteText } from '../connection/database-url.ts';

/**
 * Asks whether the tables are this user's to change, before anything is tried: a user who may write to the records of the migrations, and
 * not make tables, would leave a failed migration in them, and stop the owner's. A schema that is not there yet says nothing against it.
 *
 * @param schema  The schema of the tables; undefined: the first of the search path.
 * @returns       SQL that answers one text, `refusal`: null, or why not.
 */
export function rightsStatement(schema?: string): string {
  const name = schema === undefined ? 'current_schema()' : quoteText(schema);
  return `
SELECT CASE
    WHEN NOT pg_has_role(t.relowner, 'USAGE') THEN format('%I does not own them', current_user)
    WHEN NOT has_schema_privilege(n.oid, 'CREATE') THEN format(
      '%1$I may not make tables in the schema %2$I (an administrator can allow it: GRANT USAGE, CREATE ON SCHEMA %2$I TO %1$I;)',
      current_user, n.nspname)
  END::text AS refusal
FROM (VALUES (1)) AS one
LEFT JOIN pg_namespace n ON n.nspname = ${name}
LEFT JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = '_prisma_migrations'`;
}

/** Says what to do about a `refusal`. */
export function explainRefusal(refusal: string): string {
  return `The tables are not up to date, and ${refusal}. Run "landline migrate" with DIRECT_URL set to the URL of the tables' owner. Nothing received is lost: events wait in Redis until then.`;
}
