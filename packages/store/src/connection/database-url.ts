import { ConfigurationError } from '../errors.ts';

/** What a database URL says beside the server: parameters that Prisma knows and Postgres does not. */
export interface DatabaseUrlOptions {
  /** `?schema=`: the schema that the tables are in; undefined: the first one of the role's search path. */
  schema: string | undefined;
  /** `?connection_limit=`: connections at most, for a process that may have few. */
  connectionLimit: number | undefined;
}

/** Postgres cuts longer names off, in bytes. */
const NAME_BYTES = 63;

/**
 * Reads the parameters of a `postgresql://` URL that are meant for this package.
 *
 * @throws ConfigurationError for a schema or a limit that cannot be meant.
 */
export function readDatabaseUrl(databaseUrl: string): DatabaseUrlOptions {
  const parameters = parametersOf(databaseUrl);
  return {
    schema: readSchema(parameters.get('schema')),
    connectionLimit: readLimit(parameters.get('connection_limit')),
  };
}

/**
 * The URL to migrate over: `directUrl` where a pooler stands in front of `databaseUrl`, with the schema of `databaseUrl`, because both must
 * mean the same tables.
 *
 * @throws ConfigurationError where both name a schema, and not the same.
 */
export function migrationUrl(databaseUrl: string, directUrl?: string): string {
  if (!directUrl) return databaseUrl;
  const { schema } = readDatabaseUrl(databaseUrl);
  const { schema: direct } = readDatabaseUrl(directUrl);
  if (schema === direct) return directUrl;
  if (direct !== undefined) {
    throw new ConfigurationError(
      `DIRECT_URL names the schema "${direct}" and DATABASE_URL ${schema === undefined ? 'none' : `"${schema}"`}: give both the same ?schema=.`,
    );
  }
  const url = new URL(directUrl);
  url.searchParams.set('schema', schema ?? '');
  return url.href;
}

/** A name as an SQL identifier, in quotes. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as an SQL literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** None where the URL is none that JavaScript can read: pg reads it, or says what is wrong with it. */
function parametersOf(databaseUrl: string): URLSearchParams {
  return URL.canParse(databaseUrl) ? new URL(databaseUrl).searchParams : new URLSearchParams();
}

function readSchema(name: string | null): string | undefined {
  if (name === null || name === '') return undefined;
  if (/^[\p{L}_][\p{L}\p{N}_$-]*$/u.test(name) && !/^pg_/i.test(name) && Buffer.byteLength(name) <= NAME_BYTES)
    return name;
  throw new ConfigurationError(
    `The schema ${JSON.stringify(name)} in the database URL is no name that Landline takes: letters, digits, "_", "-" and "$", a letter or "_" first, not "pg_", ${NAME_BYTES} bytes at most. Change ?schema=.`,
  );
}

function readLimit(limit: string | null): number | undefined {
  if (limit === null) return undefined;
  if (/^[1-9]\d{0,3}$/.test(limit)) return Number(limit);
  throw new ConfigurationError(
    `connection_limit=${limit} in the database URL must be a number of connections, 1 or more.`,
  );
}
