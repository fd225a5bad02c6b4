import { cutoffsOf } from '@landline/operations';
import { createLogger, openTracing, stopOnRequest } from '@landline/process';
import { readQueueServers } from '@landline/queue';
import { migrationUrl } from '@landline/store';
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { finishTables, readyTables } from './database/prepare-database.ts';
import { providerOf } from './reconcile/provider-of.ts';
import { createWorker } from './worker.ts';

/** How long the jobs in hand have to finish, in milliseconds. */
const JOBS_LIMIT_MS = 8_000;

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
  recordingsUrl: config.RECORDINGS_URL,
  diagnosing: {
    secrets: config.ELEVENLABS_WEBHOOK_SECRET?.secrets ?? [],
    toleranceSeconds: config.SIGNATURE_TOLERANCE_SECONDS,
  },
  retention: { policy: config.retention },
  provider: providerOf(config),
  logger,
  tracing,
});
const app = createApp(worker.health, worker.metrics);

const leaving = new AbortController();
let preparing: Promise<unknown> | undefined;
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
const tables = {
  databaseUrl: migrationUrl(config.DATABASE_URL, config.DIRECT_URL),
  logger,
  leaving: leaving.signal,
  bodiesSince: cutoffsOf(config.retention, Date.now()).bodies,
};
const ready = readyTables(tables);
preparing = ready;
const state = await ready;
if (state !== 'stopped') {
  worker.start();
  logger.info('Taking jobs');
  if (state === 'usable') preparing = finishTables(tables);
}
