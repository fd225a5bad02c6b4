import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { classifyError } from './classify-error.ts';
import { openClient, type Client } from './client.ts';
import { MigrationError } from './errors.ts';
import { explainRefusal, rightsStatement } from './may-migrate.ts';
import { withSchemaEngine } from './schema-engine.ts';

/** Where the migrations stand: the same place seen from src and from dist. */
const MIGRATIONS = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

/** The key of the advisory lock under which only one process migrates: `landline` in ASCII, as one bigint. */
const LOCK = '0x6c616e646c696e65';

/** How long to wait for another process that migrates, in milliseconds: an index on a large table takes its time. */
const LOCK_TIMEOUT_MS = 3_600_000;

interface Migration {
  name: string;
  sql: string;
}

/**
 * Brings the tables up to date: applies the migrations that the database has not had, in order, under an advisory lock.
 * It keeps the same records as `prisma migrate deploy`, so either may follow the other.
 *
 * @param databaseUrl  A user who may create tables.
 * @returns            The names of the migrations applied now; none if all were there.
 * @throws             MigrationError when a migration fails, StoreError when the database cannot be reached.
 */
export async function migrate(databaseUrl: string): Promise<{ applied: string[] }> {
  const client = openClient({ databaseUrl, poolSize: 2, statementTimeoutMs: LOCK_TIMEOUT_MS });
  try {
    return await client.$transaction(
      async (transaction) => {
        await transaction.$executeRawUnsafe(`SELECT pg_advisory_xact_lock(${BigInt(LOCK)})`);
        const migrations = await readMigrations();
        if (await isUpToDate(client, migrations)) return { applied: [] };
        const [row] = await client.$queryRawUnsafe<{ refusal: string | null }[]>(rightsStatement());
        if (row?.refusal) throw new MigrationError(explainRefusal(row.refusal));
        return await applyMigrations(databaseUrl, migrations);
      },
      { timeout: LOCK_TIMEOUT_MS * 2, maxWait: 10_000 },
    );
  } catch (error) {
    throw error instanceof MigrationError ? error : classifyError(error);
  } finally {
    await client.$disconnect();
  }
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

/** The usual start: nothing to do, and no engine to load. */
async function isUpToDate(client: Client, migrations: readonly Migration[]): Promise<boolean> {
  const [{ exists } = { exists: false }] = await client.$queryRawUnsafe<{ exists: boolean }[]>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists`,
  );
  if (!exists) return false;
  const rows = await client.$queryRawUnsafe<{ migration_name: string }[]>(
    `SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`,
  );
  const done = new Set(rows.map((row) => row.migration_name));
  return migrations.every(({ name }) => done.has(name));
}

async function applyMigrations(databaseUrl: string, migrations: readonly Migration[]): Promise<{ applied: string[] }> {
  const lockfile = await readFile(join(MIGRATIONS, 'migration_lock.toml'), 'utf8');
  try {
    const { appliedMigrationNames } = await withSchemaEngine(databaseUrl, (engine) =>
      engine.applyMigrations({
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
      }),
    );
    return { applied: appliedMigrationNames };
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).trim();
    throw new MigrationError(
      `The tables could not be brought up to date: ${message}${adviceFor(message)} Nothing received is lost: events wait in Redis until it is mended.`,
      error,
    );
  }
}

/** What to do about the two faults that Prisma states without saying it in terms of this product. */
function adviceFor(message: string): string {
  if (/schema is not empty/i.test(message)) {
    return ' Give Landline a database of its own, for example with CREATE DATABASE landline, and name it in DATABASE_URL.';
  }
  if (/failed migrations|failed to apply|migration .* failed/i.test(message)) {
    return ' Mend the cause, then tell the records: if none of its changes are in the database, UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL; if all of them are (it was cut off at the very end), SET finished_at = now() instead.';
  }
  return '';
}
