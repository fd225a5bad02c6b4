import { createLogger, stopOnRequest } from '@landline/process';
import { createIntake } from '@landline/intake';
import { readQueueServers } from '@landline/queue';
import { createReader } from '@landline/store';
import { ANSWER_LIMIT_MS, createApp } from './app.ts';
import { readConfig } from './config.ts';

/** How long Redis may take to accept a conversation.started, in ms. No answer waits for it. */
const ENQUEUE_TIMEOUT_MS = 1_000;

/** How many events, and bytes of events, that come together share a job. */
const BATCH = { batchMaxEvents: 200, batchMaxBytes: 1_048_576 };

const read = readConfig(process.env);
if (!read.ok) {
  process.stderr.write(`The initiation cannot start:\n${read.faults}\n`);
  process.exit(1);
}
const { config } = read;
const logger = createLogger({ name: 'initiation', level: config.LOG_LEVEL });
for (const warning of read.warnings ?? []) logger.warn(warning);
if (config.INITIATION_TOKEN === '') {
  logger.warn(
    'INITIATION_TOKEN is not set: every request is answered 401 until it is (openssl rand -hex 24 makes one)',
  );
}
const isReader = config.READER_DATABASE_URL !== '';
if (!isReader) {
  logger.warn(
    'READER_DATABASE_URL is not set: callers are looked up by DATABASE_URL, whose role may do more, in transactions that are read only',
  );
}

const reader = createReader({
  databaseUrl: isReader ? config.READER_DATABASE_URL : config.DATABASE_URL,
  isReader,
  limitMs: ANSWER_LIMIT_MS,
});
const intake = createIntake({
  ...(await readQueueServers(config)),
  ...BATCH,
  enqueueTimeoutMs: ENQUEUE_TIMEOUT_MS,
  onWarning: (message) => logger.warn(message),
  onError: (error) => logger.warn(`Redis takes no events, callers are answered all the same: ${error.message}`),
  onReady: () => logger.info('Redis takes events again'),
});
const app = createApp({
  reader,
  intake,
  token: config.INITIATION_TOKEN,
  defaults: config.INITIATION_DEFAULTS,
  logger,
});

stopOnRequest(async () => {
  await app.drain();
  await Promise.all([intake.close(), reader.close()]);
  logger.info('Stopped');
});

// The initiation listens without waiting for either: without the database callers get the defaults.
app.start();
void intake.start({ needsFitRedis: false });
try {
  logger.info(`Listening on ${await app.server.listen({ port: config.INITIATION_PORT, host: config.HOST })}`);
} catch (error) {
  logger.fatal(`The initiation cannot start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
