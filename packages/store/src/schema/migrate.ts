import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { classifyError } from '../connection/classify-error.ts';
import { quoteName, readDatabaseUrl } from '../connection/database-url.ts';
import { MigrationError, StoreError } from '../errors.ts';
import { explainRefusal, rightsStatement } from './may-migrate.ts';
import { withSchemaEngine, type EngineTransaction } from './schema-engine.ts';
import { settingsStatement } from '../connection/transaction-settings.ts';

/** Where the migrations stand: the same place seen from src and from dist. */
const MIGRATIONS = fileURLToPath(new URL('../../../../prisma/migrations', import.meta.url));

/** The key of the advisory lock under which only one process migrates: `landline` in ASCII, as one bigint. */
const LOCK = '0x6c616e646c696e65';

interface Migration {
  name: string;
  sql: string;
}

/**
 * Brings the tables up to date: applies the migrations that the database has not had, in order, under an advisory lock.
 * It keeps the same records as `prisma migrate deploy`, so either may follow the other.
 *
 * New tables are made in one transaction. Tables that are there are changed in a transaction for each migration: what locks out
 * readers, such as ALTER TABLE, locks them out for that migration alone. The lock is in the transaction: no time-out of an idle
 * transaction can free it half-way, one connection is enough behind a pooler, and a process that is killed leaves whole migrations.
 *
 * @param databaseUrl  A user who may create tables; `?schema=` says where, and the schema is made if need be.
 * @returns            The names of the migrations applied now; none if all were there.
 * @throws             MigrationError when a migration fails, StoreError when the database cannot be reached.
 */
export async function migrate(databaseUrl: string): Promise<{ applied: string[] }> {
  const migrations = await readMigrations();
  const applied: string[] = [];
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one migration after the other
    const step = await migrateOnce(databaseUrl, migrations);
    applied.push(...step.applied);
    if (step.isDone || step.applied.length === 0) return { applied };
  }
}

interface Step {
  applied: string[];
  /** Whether all migrations are applied now. */
  isDone: boolean;
}

/** One transaction of `migrate`: all migrations where none was applied, else the next one. */
async function migrateOnce(databaseUrl: string, migrations: readonly Migration[]): Promise<Step> {
  const { schema } = readDatabaseUrl(databaseUrl);
  const result = await withSchemaEngine({ databaseUrl, schema }, async (transaction) => {
    // A migration may take its time, and so may one that another process is at.
    await transaction.run(settingsStatement({ statementTimeoutMs: 0, lockTimeoutMs: 0, schema }));
    await transaction.run(`SELECT pg_advisory_xact_lock(${BigInt(LOCK)})::text`);
    const due = await readDue(transaction, migrations);
    if (due.length === 0) return { applied: [], isDone: true };
    if (due.length === migrations.length) await refuseOtherEncoding(transaction);
    const place = await readPlace(transaction, schema);
    if (place.isMissing && (await isInPublic(transaction))) return new MigrationError(explainMove(place));
    const [[refusal] = []] = await transaction.run(rightsStatement(schema));
    if (typeof refusal === 'string') return new MigrationError(explainRefusal(refusal));
    return applyMigrations(transaction, due).then(
      (applied) => ({ applied, isDone: due.length === migrations.length }),
      (error: unknown) => new MigrationError(explain(error, place), error),
    );
  }).catch((error: unknown) => {
    if (error instanceof MigrationError) throw error;
    throw withAdvice(classifyError(error, databaseUrl));
  });
  // What failed is rolled back, and the engine's record of it is committed.
  if (result instanceof MigrationError) throw result;
  return result;
}

/** Before the first table is made: in another encoding most of what callers say would be a dead letter. */
async function refuseOtherEncoding({ run }: EngineTransaction): Promise<void> {
  const [[encoding, database] = []] = await run(
    `SELECT current_setting('server_encoding'), quote_ident(current_database())`,
  );
  if (encoding === 'UTF8') return;
  throw new MigrationError(
    `The database ${String(database)} is in ${String(encoding)}, in which most of the world's words cannot be written. Make one in UTF-8 and name it in DATABASE_URL: CREATE DATABASE landline ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0;`,
  );
}

/** Where the tables are to be, and who makes them, as SQL names. */
interface Place {
  /** Undefined where the search path names no schema that is there or may be used. */
  schema: string | undefined;
  isMissing: boolean;
  user: string;
  database: string;
}

async function readPlace({ run }: EngineTransaction, schema: string | undefined): Promise<Place> {
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

async function readMigrations(): Promise<Migration[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names
      .toSorted()
      .map(async (name) => ({ name, sql: await readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8') })),
  );
}

/** Versions that did not read `?schema=` made the tables there, whatever it said. */
async function isInPublic({ run }: EngineTransaction): Promise<boolean> {
  const [[found] = []] = await run(
    `SELECT to_regclass('public.webhook_events') IS NOT NULL AND to_regclass('public.user_profiles') IS NOT NULL`,
  );
  return found === true;
}

/** What to hand to the engine now: the migrations up to the next one; all of them where none was applied; none at the usual start. */
async function readDue({ run }: EngineTransaction, migrations: readonly Migration[]): Promise<readonly Migration[]> {
  const [[exists] = []] = await run(`SELECT to_regclass('_prisma_migrations') IS NOT NULL`);
  if (exists !== true) return migrations;
  const rows = await run(
    `SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`,
  );
  const done = new Set(rows.map(([name]) => name));
  if (done.size === 0) return migrations;
  return migrations.slice(0, migrations.findIndex(({ name }) => !done.has(name)) + 1);
}

async function applyMigrations(transaction: EngineTransaction, migrations: readonly Migration[]): Promise<string[]> {
  const lockfile = await readFile(join(MIGRATIONS, 'migration_lock.toml'), 'utf8');
  // It makes the schema where that is missing.
  const engine = await transaction.startEngine();
  const { appliedMigrationNames } = await engine.applyMigrations({
    migrationsList: {
      baseDir: MIGRATIONS,
      lockfile: { path: 'migration_lock.toml', content: lockfile },
      shadowDbInitScript: '',
      migrationDirectories: migrations.map(({ name, sql }) => ({
        path: name,
        migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
      })),
    },
    filters: { externalTables: [], externalEnums: [] },
  });
  return appliedMigrationNames;
}

function explain(error: unknown, place: Place): string {
  const message = (error instanceof Error ? error.message : String(error)).trim();
  return `The tables could not be brought up to date: ${message}${adviceOn(message, place)} Nothing received is lost: events wait in Redis until it is mended.`;
}

function explainMove({ schema }: Place): string {
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
function withAdvice(error: StoreError): StoreError {
  const { advice, faultClass, code, message } = error;
  return advice === undefined
    ? error
    : new StoreError(`${message}. ${advice}`, { faultClass, code, cause: error, advice });
}
