import { setTimeout as delay } from 'node:timers/promises';
import { createJournal } from '@landline/journal';
import { addBacklog, createLogger, openTracing, stopOnRequest } from '@landline/process';
import { createIntake } from '@landline/intake';
import {
  createActivityWriter,
  createCanaryMark,
  openBacklogs,
  openRejectedQueue,
  readQueueServers,
  RedisRefusedError,
} from '@landline/queue';
import { createLargeBodies } from '@landline/recordings';
import { WEBHOOK_PATH } from '@landline/webhook';
import { activityGauges } from './activity-gauges.ts';
import { createApp } from './app.ts';
import { startCanary } from './canary.ts';
import { readConfig } from './config.ts';
import { connectionLimit } from './connection-limit.ts';
import { createHealthApp } from './health-app.ts';
import { createMetrics, measureGroups, measureIntake } from './metrics.ts';
import { measureSpool } from './spool-metrics.ts';
import { createRejections } from './rejected/rejections.ts';
import { reportPending, reportSpooled } from './report-pending.ts';

/** How long requests under way may take to arrive in full and get their answer, in milliseconds. */
const REQUESTS_LIMIT_MS = 7_000;

/**
 * How long a receiver that cannot start waits until its intake and journal are closed, and one that stops until Redis has its refused requests,
 * in milliseconds.
 */
const CLOSE_LIMIT_MS = 2_000;

/** How many connections the system may hold until the receiver accepts them: far fewer than may be open, so that the receiver drops none unread. */
const BACKLOG = { least: 64, most: 1024 };

// On Node 20 the AWS SDK warns that its later versions need a newer one. The lock file keeps a version that does not.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
const read = readConfig(process.env);
if (!read.ok) {
  process.stderr.write(`The receiver cannot start:\n${read.faults}\n`);
  process.exit(1);
}
const { config } = read;
const logger = createLogger({ name: 'receiver', level: config.LOG_LEVEL });
for (const warning of read.warnings ?? []) logger.warn(warning);
const { cut } = config.ELEVENLABS_WEBHOOK_SECRET;
if (cut.length > 0) {
  logger.warn(
    `ELEVENLABS_WEBHOOK_SECRET had ${cut.join(', ')} in it or around it, which no secret has: it is used without them`,
  );
}

const tracing = openTracing(logger);
const metrics = createMetrics();
const journal =
  config.JOURNAL_DIR === ''
    ? undefined
    : createJournal({
        dir: config.JOURNAL_DIR,
        limitBytes: config.JOURNAL_LIMIT_BYTES,
        retentionHours: config.JOURNAL_RETENTION_HOURS,
        onError: (error) => logger.error(error.message),
        onReady: () => logger.info('The journal takes events again'),
      });
const withoutRedis = journal === undefined ? 'and senders are answered 503' : 'the journal alone has them';
const servers = await readQueueServers(config);
const intake = createIntake({
  ...servers,
  batchMaxEvents: config.BATCH_MAX_EVENTS,
  batchMaxBytes: config.BATCH_MAX_BYTES,
  enqueueTimeoutMs: config.ENQUEUE_TIMEOUT_MS,
  ...(journal && { journal }),
  onWarning: (message) => logger.warn(message),
  onError: (error) => logger.error(`Redis takes no events, ${withoutRedis}: ${error.message}`),
  onReady: () => logger.info('Redis takes events again'),
  onLoss: (sinceMs) =>
    logger.error(`Redis has lost events; what the journal holds since ${iso(sinceMs)} is enqueued again`),
  onPostgresLoss: ({ sinceMs, journalSinceMs = Date.now() }) => logger.error(postgresLoss(sinceMs, journalSinceMs)),
  onGroup: measureGroups(metrics.registry),
});
measureIntake(metrics, { intake, journal });
const hasCanary = config.CANARY_INTERVAL_SECONDS > 0;
const canaryMark = createCanaryMark(servers);
const backlogs = openBacklogs(servers);
addBacklog(metrics.registry, backlogs.looks);
const limit = connectionLimit(config.MAX_CONNECTIONS);
if (limit.descriptors !== undefined) {
  logger.warn(
    `The system lets this process open ${limit.descriptors} files, so at most ${limit.connections} connections are kept (MAX_CONNECTIONS is ${config.MAX_CONNECTIONS}); raise ulimit -n for more`,
  );
}
if (config.RECORDINGS_URL === '') {
  logger.warn('RECORDINGS_URL is not set: the audio of calls is dropped, and only its size and SHA-256 are recorded');
}
const largeBodies = createLargeBodies({
  spoolDir: config.SPOOL_DIR,
  spoolLimitBytes: config.SPOOL_LIMIT_BYTES,
  recordingsUrl: config.RECORDINGS_URL,
  accept: (delivery) => intake.accept(delivery),
  onError: (error) => logger.error(error.message),
  onReady: () => logger.info('The spool takes bodies again'),
});
measureSpool(metrics, largeBodies);
const rejections = createRejections({
  openQueue: (onOutcome) => openRejectedQueue({ ...servers, onOutcome, commandTimeoutMs: config.ENQUEUE_TIMEOUT_MS }),
  onOutcome: (outcome) => metrics.rejectedRequests.inc({ outcome }),
});
const activity = createActivityWriter({
  ...servers,
  role: 'receiver',
  onError: ({ message }, isLost) =>
    logger.warn(
      isLost
        ? `The console lacks what this process counted last, unless Redis took it all the same: ${message}`
        : `What the console shows is written later: ${message}`,
    ),
});
activity.gauges(activityGauges({ intake, journal, spool: largeBodies.spool }));
const app = createApp({
  intake,
  spool: largeBodies.spool,
  rejections,
  canaryMark: hasCanary ? canaryMark : undefined,
  activity,
  secrets: config.ELEVENLABS_WEBHOOK_SECRET.secrets,
  toleranceSeconds: config.SIGNATURE_TOLERANCE_SECONDS,
  bodyLimitBytes: config.BODY_LIMIT_BYTES,
  requestTimeoutMs: config.REQUEST_TIMEOUT_MS,
  minBytesPerSecond: config.MIN_BYTES_PER_SECOND,
  keepAliveTimeoutMs: config.KEEP_ALIVE_TIMEOUT_MS,
  maxConnections: limit.connections,
  logger,
  metrics,
  tracing,
});
const health = createHealthApp({
  intake,
  journal,
  spool: largeBodies.spool,
  metrics,
  isDraining: () => app.isDraining(),
});

let canary: ReturnType<typeof startCanary> | undefined;
let isLeaving = false;
const waitMs = config.DRAIN_SECONDS * 1000;
stopOnRequest(
  async () => {
    isLeaving = true;
    canary?.stop();
    await app.drain({ waitMs, timeoutMs: REQUESTS_LIMIT_MS });
    // Together: a collector that hangs must not cost the report of what is pending its time.
    await Promise.all([close(), tracing?.flush()]);
    const exitCode = Math.max(
      reportPending({ journal, dir: config.JOURNAL_DIR, logger }),
      reportSpooled({ spool: largeBodies.spool, dir: config.SPOOL_DIR, logger }),
    );
    logger.info('Stopped');
    return exitCode;
  },
  { waitMs },
);

try {
  await start();
} catch (error) {
  if (!isLeaving) {
    const reason = error instanceof Error ? error.message : String(error);
    logger.fatal(error instanceof RedisRefusedError ? reason : `The receiver cannot start: ${reason}`);
    // The next receiver would take over an open journal like that of a killed process.
    await Promise.race([close(), delay(CLOSE_LIMIT_MS)]);
    process.exit(1);
  }
}

async function start(): Promise<void> {
  await journal?.open();
  // With an unfit Redis the receiver does not start: no event would be applied, and no sender would notice.
  // Where its journal has events that Redis lacks, the receiver starts all the same.
  await intake.start({ needsFitRedis: (journal?.stats().pendingRecords ?? 0) === 0 });
  await largeBodies.open();
  if (isLeaving) return;
  const healthOrigin = await health
    .listen({ port: config.HEALTH_PORT, host: config.HEALTH_HOST })
    .catch(nameHealthPort);
  logger.info(`Health and metrics on ${healthOrigin}`);
  const backlog = Math.min(BACKLOG.most, Math.max(BACKLOG.least, Math.ceil(limit.connections / 4)));
  const origin = await app.server.listen({ port: config.PORT, host: config.HOST, backlog });
  logger.info(`Listening on ${origin}`);
  activity.start();
  if (!hasCanary) return canaryMark.clear();
  if (isLeaving) return;
  canary = startCanary({
    url: `${origin}${WEBHOOK_PATH}`,
    secrets: config.ELEVENLABS_WEBHOOK_SECRET.secrets,
    intervalMs: config.CANARY_INTERVAL_SECONDS * 1000,
    logger,
  });
}

async function close(): Promise<void> {
  const counted = activity.close();
  // Beside the others, and not for long: what Redis does not take of them must not cost the journal its time.
  const rejected = Promise.race([Promise.allSettled([rejections.close()]), delay(CLOSE_LIMIT_MS)]);
  await largeBodies.close();
  await intake.close();
  await journal?.close();
  canaryMark.close();
  await Promise.all([backlogs.close(), counted, rejected]);
  await health.close();
}

function nameHealthPort(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new Error(`${reason} (HEALTH_PORT, HEALTH_HOST: each receiver on a machine needs a port of its own)`, {
    cause,
  });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function postgresLoss(sinceMs: number, journalSinceMs: number): string {
  const since = sinceMs === 0 ? 'all of it' : `what it holds since ${iso(sinceMs)}`;
  const gap =
    journalSinceMs > sinceMs
      ? `. This journal begins at ${iso(journalSinceMs)}: what this receiver took before that and Postgres has lost is not in it`
      : '';
  return `Postgres has lost events; of this journal, ${since} is enqueued again${gap}`;
}
