import { quoteName, readDatabaseUrl } from './database-url.ts';

/** Who works where, as SQL names. */
interface Account {
  user: string;
  database: string;
  schema: string;
}

const ADVICE: Readonly<Record<string, (account: Account) => string>> = {
  '28000': ({ user }) => `Check the user ${user} in DATABASE_URL, sslmode, and that pg_hba.conf lets this host in.`,
  '28P01': ({ user }) => `Check the password of ${user} in DATABASE_URL.`,
  '3D000': ({ database }) => `Check the database in DATABASE_URL, or make it: CREATE DATABASE ${database};`,
  '42501': (account) => `As the owner of the tables, run: ${grants(account)}`,
  // Without USAGE a schema is passed over, as if nothing were in it.
  '42P01': (account) =>
    `The tables are not there, or behind: npm run landline -- migrate. Or they are, and the user may not see them: ${grants(account)}`,
  '42703': () => 'The tables are behind: npm run landline -- migrate',
  '25006': () =>
    'This server only reads: name the primary in DATABASE_URL, or free its disk where the host made it so.',
  '53100': () => "Free disk on the database's machine.",
  '53300': () =>
    "Raise max_connections (or the limit of the role), or lower the worker's share: ?connection_limit= in DATABASE_URL.",
};

/** What the worker's user needs. */
function grants({ user, schema }: Account): string {
  return `GRANT USAGE ON SCHEMA ${schema} TO ${user}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${user}; GRANT EXECUTE ON FUNCTION ${schema}.landline_make_body_partitions TO ${user}; GRANT EXECUTE ON FUNCTION ${schema}.landline_drop_body_partition TO ${user}; GRANT EXECUTE ON FUNCTION ${schema}.landline_forget_in_kept_tables TO ${user}; GRANT EXECUTE ON FUNCTION ${schema}.landline_rebuild TO ${user};`;
}

/** What to do about an error with this SQLSTATE under that URL; undefined where the code alone does not say. */
export function adviceFor(code: string, databaseUrl: string): string | undefined {
  return Object.hasOwn(ADVICE, code) ? ADVICE[code]?.(accountOf(databaseUrl)) : undefined;
}

function accountOf(databaseUrl: string): Account {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined;
  return {
    user: nameOr('<user>', url?.username),
    database: nameOr('<database>', url?.pathname.slice(1)),
    schema: quoteName(readDatabaseUrl(databaseUrl).schema ?? 'public'),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function nameOr(otherwise: string, text: string | undefined): string {
  return text ? quoteName(decode(text)) : otherwise;
}
