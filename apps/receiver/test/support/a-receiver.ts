import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createLogger } from '@landline/process';
import { createIntake, type Intake } from '@landline/intake';
import { openQueues } from '@landline/queue';
import { createSpool, type Spool, type SpooledBody } from '@landline/recordings';
import type { Delivery } from '@landline/webhook';
import { SECRET } from '../../../../test/support/post.ts';
import { createApp, type AppOptions, type ReceiverApp } from '../../src/app.ts';
import { createMetrics, type ReceiverMetrics } from '../../src/metrics.ts';
import { jobSchema } from '../../../../packages/queue/test/support/job-schema.ts';

/** Arguments of a Redis that does not wait for the disk: on a machine whose disk stalls, an enqueue would take longer than a receiver waits. */
export const NO_FSYNC = ['--appendfsync', 'no'] as const;

/** A receiver that listens in this process, on a Redis of its own. */
export interface TestReceiver extends ReceiverApp {
  /** The receiver's origin. */
  url: string;
  intake: Intake;
  metrics: ReceiverMetrics;
  spool: Spool;
  /** The folder of the spool. */
  spoolDir: string;
  /** The bodies that the spool has, in the order of their receipt. Nothing moves them on. */
  spooled: readonly SpooledBody[];
  /** Returns everything that the receiver has logged. */
  log: () => string;
  /** Returns the events in the receiver's queue, in order. */
  queued: () => Promise<Delivery[]>;
  close: () => Promise<void>;
}

/** Options of `startReceiver` beside those of the app. */
export interface TestReceiverOptions extends Partial<AppOptions> {
  /** How long a write to Redis may take, in milliseconds. */
  enqueueTimeoutMs?: number;
  /** How many bytes the spool may hold. */
  spoolLimitBytes?: number;
}

/** Starts a receiver. `redisUrl` must be of a private Redis, where no worker takes the events out of the queue. */
export async function startReceiver(
  redisUrl: string,
  { enqueueTimeoutMs = 3_000, spoolLimitBytes = 1024 ** 3, ...options }: TestReceiverOptions = {},
): Promise<TestReceiver> {
  let log = '';
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });
  const logger = createLogger({ name: 'receiver', level: 'trace', destination });
  const intake = createIntake({
    redisUrl,
    batchMaxEvents: 200,
    batchMaxBytes: 1_048_576,
    enqueueTimeoutMs,
    onError: (error) => logger.error(error.message),
  });
  await intake.start();
  const metrics = createMetrics();
  const spoolDir = await mkdtemp(join(tmpdir(), 'landline-spool-'));
  const spooled: SpooledBody[] = [];
  const spool = createSpool({
    dir: spoolDir,
    limitBytes: spoolLimitBytes,
    onBody: (body) => spooled.push(body),
    onError: (error) => logger.error(error.message),
    onReady: () => logger.info('The spool takes bodies again'),
  });
  await spool.open();
  const app = createApp({
    intake,
    spool,
    secrets: [SECRET],
    toleranceSeconds: 3600,
    bodyLimitBytes: 65_536,
    requestTimeoutMs: 10_000,
    minBytesPerSecond: 16_384,
    keepAliveTimeoutMs: 60_000,
    maxConnections: 4096,
    logger,
    metrics,
    ...options,
  });
  const url = await app.server.listen({ port: 0, host: '127.0.0.1' });
  return {
    ...app,
    url,
    intake,
    metrics,
    spool,
    spoolDir,
    spooled,
    log: () => log,
    queued: () => eventsIn(redisUrl),
    async close() {
      await app.drain({ waitMs: 0, timeoutMs: 5000 });
      await intake.close();
      await spool.close();
      await rm(spoolDir, { recursive: true, force: true });
    },
  };
}

/** Returns the events of all waiting jobs in the queue of a Redis, oldest first. */
export async function eventsIn(redisUrl: string): Promise<Delivery[]> {
  const queues = openQueues({ redisUrl });
  try {
    await queues.ping();
    const jobs = await queues.events.getWaiting();
    return jobs.flatMap((job) => jobSchema.parse(job.data).events);
  } finally {
    await queues.close();
  }
}

/** Returns the values of one metric, by its labels as printed. */
export async function valuesOf({ metrics }: TestReceiver, name: string): Promise<Record<string, number>> {
  const text = await metrics.registry.getSingleMetricAsString(name);
  const lines = [...text.matchAll(/^\w+(?:\{(.*)\})? (\S+)$/gm)];
  return Object.fromEntries(lines.map(([, labels = '', value]) => [labels, Number(value)]));
}

/** Returns the value of a metric without labels. */
export async function valueOf(receiver: TestReceiver, name: string): Promise<number | undefined> {
  return (await valuesOf(receiver, name))[''];
}
