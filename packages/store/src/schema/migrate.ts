import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { classifyError } from '../connection/classify-error.ts';
import { readDatabaseUrl } from '../connection/database-url.ts';
import { MigrationError } from '../errors.ts';
import { LedgerInUseError, lockLedgerFor, restFromLock } from './ledger-lock.ts';
import { explainRefusal, rightsStatement } from './may-migrate.ts';
import { areBodiesMoved, LEDGER_WITHOUT_BODIES, moveBodies } from './move-bodies.ts';
import { explain, explainMove, isInPublic, readPlace, withAdvice } from './place.ts';
import { withSchemaEngine, type EngineTransaction } from './schema-engine.ts';
import { settingsStatement } from '../connection/transaction-settings.ts';

/** Where the migrations stand: the same place seen from src and from dist. */
const MIGRATIONS = fileURLToPath(new URL('../../../../prisma/migrations', import.meta.url));

/** The key of the advisory lock under which only one process migrates: `landline` in ASCII, as one bigint. */
const LOCK = '0x6c616e646c696e65';

/** A signal that nobody aborts. */
const NEVER = new AbortController().signal;

/**
 * Migrations for which nobody waits: they come after the bodies are moved. Workers of the version before write until then, and know no orders to delete
 * something.
 */
const AFTER_MOVE: ReadonlySet<string> = new Set([LEDGER_WITHOUT_BODIES, '20261129000501_orders_of_conversations']);

interface Migration {
  name: string;
  sql: string;
}

/** How far to migrate. */
export interface MigrateOptions {
  /** Aborted when what takes long is to stop at the next batch. */
  signal?: AbortSignal;
  /** Bodies of an older version that were received before need not be moved, because they are to go: unix milliseconds. */
  bodiesSince?: number | undefined;
}

/**
 * Brings the tables up to date: applies the migrations that the database has not had, in order, under an advisory lock.
 * It keeps the same records as `prisma migrate deploy`, so either may follow the other.
 *
 * New tables are made in one transaction. Tables that are there are changed in a transaction for each migration: what locks out
 * readers, such as ALTER TABLE, locks them out for that migration alone. The lock is in the transaction: no time-out of an idle
 * transaction can free it half-way, one connection is enough behind a pooler, and a process that is killed leaves whole migrations.
 *
 * Bodies that an older version kept in the ledger are moved in batches, which may take hours; workers go on meanwhile.
 *
 * @param databaseUrl  A user who may create tables; `?schema=` says where, and the schema is made if need be.
 * @returns            The names of the migrations applied now; none if all were there.
 * @throws             MigrationError when a migration fails, StoreError when the database cannot be reached.
 */
export async function migrate(
  databaseUrl: string,
  { signal = NEVER, bodiesSince }: MigrateOptions = {},
): Promise<{ applied: string[] }> {
  const migrations = await readMigrations();
  const applied: string[] = [];
  // oxlint-disable no-await-in-loop -- one step after the other
  while (!signal.aborted) {
    const step = await migrateOnce(databaseUrl, migrations);
    applied.push(...step.applied);
    if (step.next === 'nothing') break;
    if (step.next === 'move') await moveBodies(databaseUrl, { signal, since: bodiesSince });
    if (step.next === 'lock') await restFromLock(signal);
  }
  // oxlint-enable no-await-in-loop
  return { applied };
}

/** What `prepareTables` did. */
export interface Prepared {
  /** The names of the migrations applied now. */
  applied: string[];
  /** What is left for `migrate`: nothing, something that this user may do, or something for the owner of the tables. */
  left: 'nothing' | 'ours' | "the owner's";
}

/**
 * Applies the migrations that this version needs, as `migrate` does, and leaves those that nobody need wait for. It resolves as well where
 * only these are due and the user may not apply them.
 *
 * @throws   As `migrate`.
 */
export async function prepareTables(databaseUrl: string, { signal = NEVER }: MigrateOptions = {}): Promise<Prepared> {
  const migrations = await readMigrations();
  const applied: string[] = [];
  // oxlint-disable no-await-in-loop -- one step after the other
  while (!signal.aborted) {
    const step = await migrateOnce(databaseUrl, migrations, { isNeededOnly: true });
    applied.push(...step.applied);
    if (step.next === 'nothing') return { applied, left: 'nothing' };
    if (step.next === 'refused') return { applied, left: "the owner's" };
    if (step.next === 'move') break;
    if (step.next === 'lock') await restFromLock(signal);
  }
  // oxlint-enable no-await-in-loop
  return { applied, left: 'ours' };
}

interface Step {
  applied: string[];
  /**
   * What to do now. `migrate`: there are more migrations. `move`: bodies are to be moved before the last one. `lock`: others use the ledger;
   * try again. `refused`: only what nobody need wait for is due, and this user may not do it.
   */
  next: 'nothing' | 'migrate' | 'move' | 'lock' | 'refused';
}

/** One transaction of `migrate`: all migrations where none was applied, else the next one. */
async function migrateOnce(
  databaseUrl: string,
  migrations: readonly Migration[],
  { isNeededOnly = false } = {},
): Promise<Step> {
  const { schema } = readDatabaseUrl(databaseUrl);
  const result = await withSchemaEngine(
    { databaseUrl, schema },
    async (transaction): Promise<Step | MigrationError> => {
      // A migration may take its time, and so may one that another process is at.
      await transaction.run(settingsStatement({ statementTimeoutMs: 0, lockTimeoutMs: 0, schema }));
      await transaction.run(`SELECT pg_advisory_xact_lock(${BigInt(LOCK)})::text`);
      const done = await readDone(transaction);
      const due = migrations.filter(({ name }) => !done.has(name));
      if (due.length === 0) return { applied: [], next: 'nothing' };
      if (done.size === 0) await refuseOtherEncoding(transaction);
      const place = await readPlace(transaction, schema);
      if (place.isMissing && (await isInPublic(transaction))) return new MigrationError(explainMove(place));
      const [[refusal] = []] = await transaction.run(rightsStatement(schema));
      if (typeof refusal === 'string') {
        return isNeededOnly && due.every(({ name }) => AFTER_MOVE.has(name))
          ? { applied: [], next: 'refused' }
          : new MigrationError(explainRefusal(refusal));
      }
      const chosen = done.size === 0 ? due : await chooseNext(transaction, due);
      if (chosen.length === 0) return { applied: [], next: 'move' };
      const [next] = chosen;
      if (done.size > 0 && next !== undefined) await lockLedgerFor(next.name, transaction);
      return applyMigrations(
        transaction,
        migrations.filter((migration) => done.has(migration.name) || chosen.includes(migration)),
      ).then(
        (applied) => ({ applied, next: due.length === chosen.length || applied.length === 0 ? 'nothing' : 'migrate' }),
        (error: unknown) => new MigrationError(explain(error, place), error),
      );
    },
  ).catch((error: unknown): Step => {
    if (error instanceof LedgerInUseError) {
      return { applied: [], next: isNeededOnly && error.migration === LEDGER_WITHOUT_BODIES ? 'move' : 'lock' };
    }
    if (error instanceof MigrationError) throw error;
    throw withAdvice(classifyError(error, databaseUrl));
  });
  // What failed is rolled back, and the engine's record of it is committed.
  if (result instanceof MigrationError) throw result;
  return result;
}

/** The first migration that can be applied now; none where bodies must be moved first. */
async function chooseNext(transaction: EngineTransaction, due: readonly Migration[]): Promise<Migration[]> {
  const next = due.find(({ name }) => !AFTER_MOVE.has(name));
  const [first] = due;
  if (first?.name === LEDGER_WITHOUT_BODIES && !(await areBodiesMoved(transaction))) return next ? [next] : [];
  return first ? [first] : [];
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

async function readMigrations(): Promise<Migration[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names
      .toSorted()
      .map(async (name) => ({ name, sql: await readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8') })),
  );
}

/** The names of the migrations that the database has had. */
async function readDone({ run }: EngineTransaction): Promise<Set<unknown>> {
  const [[exists] = []] = await run(`SELECT to_regclass('_prisma_migrations') IS NOT NULL`);
  if (exists !== true) return new Set();
  const rows = await run(
    `SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`,
  );
  return new Set(rows.map(([name]) => name));
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
