import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger, openTracing, stopOnRequest } from '@landline/process';
import { readQueueServers } from '@landline/queue';
import { migrate, migrationUrl } from '@landline/store';
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { createWorker } from './worker.ts';

/** How long the jobs in hand have to finish, in milliseconds. */
const JOBS_LIMIT_MS = 8_000;
/** How often to try again to bring the tables up to date while the database is away, in milliseconds. */
const MIGRATE_RETRY_MS = 2_000;

const read = readConfig(process.env);
if (!read.ok) {
  process.stderr.write(`The worker cannot start:\n${read.faults}\n`);
  process.exit(1);
}
const { config } = read;
const logger = createLogger({ name: 'worker', level: config.LOG_LEVEL });
for (const warning of read.warnings ?? []) logger.warn(warning);
if (config.ELEVENLABS_WEBHOOK_SECRET === undefined) {
  logger.warn(
    'ELEVENLABS_WEBHOOK_SECRET is not set, or none that a receiver takes: refused requests are stored without a diagnosis (cause unknown)',
  );
}
const tracing = openTracing(logger);
const worker = createWorker({
  databaseUrl: config.DATABASE_URL,
  ...(await readQueueServers(config)),
  concurrency: config.WORKER_CONCURRENCY,
  diagnosing: {
    secrets: config.ELEVENLABS_WEBHOOK_SECRET?.secrets ?? [],
    toleranceSeconds: config.SIGNATURE_TOLERANCE_SECONDS,
  },
  logger,
  tracing,
});
const app = createApp(worker.health, worker.metrics);

const leaving = new AbortController();
let preparing: Promise<boolean> | undefined;
stopOnRequest(async () => {
  leaving.abort();
  // A migration that is cut off half-way would stop every later start.
  await preparing;
  await worker.stop({ timeoutMs: JOBS_LIMIT_MS });
  await Promise.all([app.close(), tracing?.flush()]);
  logger.info('Stopped');
});

try {
  logger.info(`Health and metrics on ${await app.listen({ port: config.WORKER_PORT, host: config.HOST })}`);
} catch (error) {
  logger.fatal(`The worker cannot start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
preparing = tablesAreReady();
if (await preparing) {
  worker.start();
  logger.info('Taking jobs');
}

/** Brings the tables up to date, however long the database is away; false when the worker was stopped first. */
async function tablesAreReady(): Promise<boolean> {
  while (!leaving.signal.aborted) {
    try {
      const { applied } = await migrate(migrationUrl(config.DATABASE_URL, config.DIRECT_URL));
      for (const name of applied) logger.info(`Migrated: ${name}`);
      return !leaving.signal.aborted;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error(`The tables are not ready, trying again: ${reason}`);
      await sleep(MIGRATE_RETRY_MS, undefined, { signal: leaving.signal }).catch(() => undefined);
    }
  }
  return false;
}
