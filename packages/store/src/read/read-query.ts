import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { classifyError } from '../connection/classify-error.ts';
import { CONNECT_TIMEOUT_MS } from '../connection/client.ts';
import { quoteName, readDatabaseUrl } from '../connection/database-url.ts';
import { PrismaClient } from '../generated/client.ts';

/** How long a query may run, in milliseconds. */
const STATEMENT_TIMEOUT_MS = 30_000;

/** Drops a superuser's rights; any other user goes on as before. A query that means harm can take them back: a reader's URL is what keeps it out. Postgres has this role since version 14. */
const WITHOUT_SUPERUSER = `
  SELECT CASE WHEN current_setting('is_superuser') = 'on' AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'pg_read_all_data')
    THEN set_config('role', 'pg_read_all_data', true) END`;

const LIMITS = `
  SELECT set_config('statement_timeout', '${STATEMENT_TIMEOUT_MS}', true), set_config('lock_timeout', '${STATEMENT_TIMEOUT_MS}', true)`;

/** Ends the transaction, so that nothing is committed. */
class RolledBack extends Error {
  readonly rows: Record<string, unknown>[];

  constructor(rows: Record<string, unknown>[]) {
    super('Rolled back');
    this.rows = rows;
  }
}

/**
 * Runs one query that is to change nothing: in a transaction that is read only, without a superuser's rights, and by the extended
 * protocol, in which the server itself refuses a second statement. The transaction is rolled back: Postgres lets EXPLAIN ANALYZE CREATE TABLE
 * through in one that is read only.
 *
 * @param databaseUrl  Best the reader's, who may do nothing else. `?schema=` says where tables are looked for first.
 * @param sql          One statement. COPY … TO and DO are for the caller to refuse: a transaction that is read only allows them.
 * @returns            The rows.
 * @throws             StoreError with what Postgres says.
 */
export async function readQuery(databaseUrl: string, sql: string): Promise<Record<string, unknown>[]> {
  const name = `landline_sql_${randomUUID()}`;
  const adapter = new PrismaPg(
    {
      connectionString: databaseUrl,
      max: 1,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS + CONNECT_TIMEOUT_MS,
      application_name: 'landline sql',
    },
    // A name is what makes the driver prepare a statement without parameters, which is the extended protocol.
    { statementNameGenerator: (query) => (query.sql === sql ? name : '') },
  );
  const client = new PrismaClient({ adapter });
  const { schema } = readDatabaseUrl(databaseUrl);
  try {
    await client.$transaction(
      async (transaction) => {
        await transaction.$executeRawUnsafe('SET TRANSACTION READ ONLY');
        await transaction.$queryRawUnsafe(LIMITS);
        await transaction.$queryRawUnsafe(WITHOUT_SUPERUSER);
        if (schema !== undefined)
          await transaction.$queryRawUnsafe(`SELECT set_config('search_path', $1, true)`, quoteName(schema));
        throw new RolledBack(await transaction.$queryRawUnsafe<Record<string, unknown>[]>(sql));
      },
      { maxWait: CONNECT_TIMEOUT_MS, timeout: STATEMENT_TIMEOUT_MS * 2 },
    );
    return [];
  } catch (error) {
    if (error instanceof RolledBack) return error.rows;
    throw classifyError(error);
  } finally {
    await client.$disconnect();
  }
}
