import { quoteName } from '../connection/database-url.ts';
import { StoreError } from '../errors.ts';
import type { EngineTransaction } from './schema-engine.ts';

/** Where the tables are to be, and who makes them, as SQL names. */
export interface Place {
  /** Undefined where the search path names no schema that is there or may be used. */
  schema: string | undefined;
  isMissing: boolean;
  user: string;
  database: string;
}

/** Reads it; `schema`: what `?schema=` says. */
export async function readPlace({ run }: EngineTransaction, schema: string | undefined): Promise<Place> {
  const [row = []] = await run(
    'SELECT quote_ident(current_schema()), quote_ident(current_user), quote_ident(current_database())',
  );
  const [found, user, database] = row.map((name) => (typeof name === 'string' ? name : undefined));
  return {
    schema: schema === undefined ? found : quoteName(schema),
    isMissing: schema !== undefined && found === undefined,
    user: user ?? '',
    database: database ?? '',
  };
}

/** Tells whether the tables are in public, where versions that did not read `?schema=` made them. */
export async function isInPublic({ run }: EngineTransaction): Promise<boolean> {
  const [[found] = []] = await run(
    `SELECT to_regclass('public.webhook_events') IS NOT NULL AND to_regclass('public.user_profiles') IS NOT NULL`,
  );
  return found === true;
}

/** Says why a migration failed, and what to do. */
export function explain(error: unknown, place: Place): string {
  const message = (error instanceof Error ? error.message : String(error)).trim();
  return `The tables could not be brought up to date: ${message}${adviceOn(message, place)} Nothing received is lost: events wait in Redis until it is mended.`;
}

/** Says what to do about tables that are in another schema than the one that is asked for. */
export function explainMove({ schema }: Place): string {
  return (
    `DATABASE_URL asks for the schema ${schema}, which is not there, and this database has Landline's tables in public, where earlier versions made them whatever ?schema= said. ` +
    `To go on with those, take ?schema= out of DATABASE_URL. To begin anew beside them, run: CREATE SCHEMA ${schema}; ` +
    `To move them, stop all workers and run: ALTER SCHEMA public RENAME TO ${schema}; CREATE SCHEMA public; Events wait in Redis meanwhile.`
  );
}

/** What to do about the faults that are stated without saying it in terms of this product. */
function adviceOn(message: string, { schema, user, database, isMissing }: Place): string {
  if (/schema is not empty/i.test(message)) {
    return ' Give Landline a database of its own, for example with CREATE DATABASE landline, and name it in DATABASE_URL.';
  }
  if (/permission denied for (?:schema|database)/i.test(message)) {
    const right = isMissing ? `CREATE ON DATABASE ${database}` : `USAGE, CREATE ON SCHEMA ${schema ?? 'public'}`;
    return ` As an administrator of the database, run: GRANT ${right} TO ${user};`;
  }
  if (/failed migrations|failed to apply|migration .* failed/i.test(message)) {
    return ' Mend the cause, then tell the records: if none of its changes are in the database, UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL; if all of them are (it was cut off at the very end), SET finished_at = now() instead.';
  }
  return '';
}

/** An operator reads the message of what stops a migration; of other faults, the log. */
export function withAdvice(error: StoreError): StoreError {
  const { advice, faultClass, code, message } = error;
  return advice === undefined
    ? error
    : new StoreError(`${message}. ${advice}`, { faultClass, code, cause: error, advice });
}
