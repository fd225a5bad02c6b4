import { readdirSync, readFileSync } from 'node:fs';
import { runSql } from '../../../../test/support/run-sql.ts';
import { settingsStatement } from '../../src/connection/transaction-settings.ts';
import { withSchemaEngine } from '../../src/schema/schema-engine.ts';
import { emptyDatabase } from './empty-database.ts';

const MIGRATIONS = new URL('../../../../prisma/migrations/', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, MIGRATIONS), 'utf8');

/** The migrations that take the bodies out of the ledger, in their order. */
export const BODY_MIGRATIONS = ['20261129000100_bodies_by_day', '20261129000101_ledger_without_bodies'] as const;

/** The script of a migration. */
export const scriptOf = (name: string): string => read(`${name}/migration.sql`);

/** A database as the version before left it, with its records of migrations; it goes when the running test ends. Answers its URL. */
export const oldDatabase = (schema?: string): Promise<string> => databaseBefore(BODY_MIGRATIONS[0], schema);

/** The same with all migrations that come before one. */
export async function databaseBefore(migration: string, schema?: string): Promise<string> {
  const url = await emptyDatabase(schema);
  const names = readdirSync(MIGRATIONS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name < migration)
    .map(({ name }) => name)
    .toSorted();
  await withSchemaEngine({ databaseUrl: url, schema }, async (transaction) => {
    await transaction.run(settingsStatement({ statementTimeoutMs: 0, lockTimeoutMs: 0, schema }));
    await (
      await transaction.startEngine()
    ).applyMigrations({
      migrationsList: {
        baseDir: '',
        lockfile: { path: 'migration_lock.toml', content: read('migration_lock.toml') },
        shadowDbInitScript: '',
        migrationDirectories: names.map((name) => ({
          path: name,
          migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: scriptOf(name) } },
        })),
      },
      filters: { externalTables: [], externalEnums: [] },
    });
  });
  return url;
}

/** Fills a ledger of the version before with events of the last days, a few of them dead. Their bodies have `bytes` bytes and say their number. */
export async function fillOldLedger(url: string, events: number, bytes = 300): Promise<void> {
  await runSql(
    url,
    `INSERT INTO webhook_events (id, type, event_at, received_at, origin, outcome, error, body)
     SELECT md5(i::text)::uuid, 'x.y', at, at, 'webhook', CASE WHEN i % 50 = 0 THEN 'dead' ELSE 'applied' END,
       CASE WHEN i % 50 = 0 THEN '{"code": "c", "message": "m", "attempts": 1}'::jsonb END,
       ${bodyOfNumber('i', bytes)}
     FROM (SELECT i, now() - i * interval '2 minutes' FROM generate_series(1, ${events}) AS i) AS given (i, at)`,
  );
}

/** The body of the i-th event of `fillOldLedger`, as SQL. */
export const bodyOfNumber = (i: string, bytes = 300) =>
  `convert_to(lpad(${i}::text, ${bytes}, md5(${i}::text) || '{é'), 'UTF8')`;

/** What a worker of the version before records; times in unix ms. */
export interface OldEvent {
  id: string;
  body: string;
  type?: string;
  receivedAt?: number;
}

/** The statement by which a worker of the version before records an event that it can apply. Answers the id of a duplicate. */
export function recordedBefore({ id, body, type = 'x.y', receivedAt = Date.now() }: OldEvent): string {
  return `WITH recorded AS (
      INSERT INTO webhook_events AS t (id, event_key, type, conversation_id, event_at, received_at, origin, body, body_reference, outcome, applied_at)
      SELECT '${id}', NULL, '${type}', NULL, to_timestamp(${receivedAt} / 1000.0), to_timestamp(${receivedAt} / 1000.0), 'webhook',
        convert_to('${body}', 'UTF8'), NULL, 'applied', now()
      ON CONFLICT (id) DO UPDATE SET
        event_key = EXCLUDED.event_key,
        type = EXCLUDED.type,
        conversation_id = EXCLUDED.conversation_id,
        event_at = EXCLUDED.event_at,
        outcome = EXCLUDED.outcome,
        applied_at = EXCLUDED.applied_at,
        error = NULL
      WHERE t.outcome = 'dead' OR (t.outcome = 'ignored' AND EXCLUDED.outcome = 'applied')
      RETURNING id
    )
    SELECT sent.id::text FROM unnest('{${id}}'::uuid[]) AS sent (id) WHERE sent.id NOT IN (SELECT id FROM recorded)`;
}
