import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../generated/client.ts';
import type { DirectTransactions } from './direct-transactions.ts';
import { settleAtBegin } from './settle-at-begin.ts';

/** A connected Prisma client. */
export type Client = PrismaClient;

/** How to reach the database, and for how long to wait for it. */
export interface ClientOptions {
  /** postgresql://… */
  databaseUrl: string;
  /** Connections at most. */
  poolSize: number;
  /** How long a statement may run, in milliseconds, before the client gives it up; the server's own limit comes first. */
  statementTimeoutMs: number;
  /** Where the client's transactions are found; nowhere by default. */
  direct?: DirectTransactions;
  /** A statement that is sent with each BEGIN; none by default. */
  settings?: string;
}

/** How long to wait for a connection, in milliseconds: the pool's own default is for ever. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** What the client allows on top of the server's limit, in milliseconds, for an answer that is on its way. */
const READ_MARGIN_MS = 5_000;

/** Opens a client; it connects with the first query. */
export function openClient(options: ClientOptions): Client {
  const { databaseUrl, poolSize, statementTimeoutMs, direct, settings } = options;
  const adapter = new PrismaPg({
    connectionString: databaseUrl,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: statementTimeoutMs + READ_MARGIN_MS,
    keepAlive: true,
    application_name: 'landline',
    onConnect(client) {
      // While a client changes hands nobody listens to it: a connection that the server ends in that moment would end the process.
      // The next query on it fails instead.
      client.on('error', () => undefined);
      if (settings !== undefined) settleAtBegin(client, settings);
    },
  });
  direct?.watch(adapter);
  return new PrismaClient({ adapter });
}
