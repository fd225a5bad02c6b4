import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'bullmq';
import { backoffMs } from './backoff.ts';
import { cleanError } from '../redis/clean-error.ts';
import {
  createConsumerConnection,
  createProducerConnection,
  endConnection,
  firstAttempt,
} from '../redis/connection.ts';
import { countJobs, type QueueCounts } from '../jobs/count-jobs.ts';
import { QueueUnavailableError } from '../errors.ts';
import { boundExpiries } from '../redis/expiring-key.ts';
import { jobFailure, type JobFailure } from './job-failure.ts';
import { QUEUE_PREFIX, WEBHOOK_QUEUE } from '../names.ts';
import { openQueue } from '../jobs/open-queue.ts';
import { processJob, type ProcessJob } from './process-job.ts';
import { reportChanges } from '../redis/report-changes.ts';
import { retryStalled, type StalledLook } from './retry-stalled.ts';
import { createSuspects } from './suspects.ts';
import { workerBackend } from './worker-backend.ts';

/** A job whose worker shows no life for this long is taken again, in ms. Shorter, and a long pause of the event loop makes two workers run one job. */
const LOCK_DURATION_MS = 10_000;

/** How often to look for such jobs, in ms. */
const STALLED_INTERVAL_MS = 5000;

/** How often to see that no key of BullMQ's stays longer than it may, in ms. */
const BOUND_INTERVAL_MS = 5000;

/** How many deaths of its worker a job survives before it rests in `failed` (see retry-stalled.ts). A restart takes jobs with it that did nothing wrong. */
const MAX_STALLED_COUNT = 10;

/** How often to look for jobs that rest there for that, in ms. */
const RETRY_STALLED_INTERVAL_MS = 60_000;

/** How long `counts` and `ping` wait for Redis, in ms. */
const QUESTION_TIMEOUT_MS = 1000;

/** How long before the time limit of `close` running jobs are told to hand themselves back, in ms. */
const HAND_BACK_MARGIN_MS = 2000;

/** How long an idle consumer may take to close, in ms; a lost Redis is no reason to wait. */
const IDLE_CLOSE_MS = 1000;

export interface ConsumerOptions {
  redisUrl: string;
  prefix?: string;
  /** `WEBHOOK_QUEUE` or `DEAD_LETTER_QUEUE`. */
  queue: string;
  /** Jobs at once. */
  concurrency: number;
  process: ProcessJob;
  /** Faults of the connection and of BullMQ (not of jobs); one that repeats is told once. */
  onError?: (error: Error) => void;
  /** Told of every attempt that failed. What was handed back did not fail. */
  onFailed?: (failure: JobFailure) => void;
}

/** Takes jobs from a queue. */
export interface Consumer {
  /** Begins to take jobs, now or as soon as Redis is there. */
  start(): void;
  /** Takes no more jobs until `resume`. Those in hand go on, and keep their locks. */
  pause(): void;
  /** Takes jobs again. */
  resume(): void;
  /**
   * Takes no more jobs and waits for those that run, at most `timeoutMs`. Shortly before, they are told by their signal to give up, and go
   * back; then the connections are cut. A job that ignores its signal may keep the process alive: end it. Another worker gets the job.
   */
  close(limit: { timeoutMs: number }): Promise<void>;
  /** @throws QueueUnavailableError within a second */
  counts(): Promise<QueueCounts>;
  /** Whether somebody has paused the queue. @throws QueueUnavailableError within a second */
  isQueuePaused(): Promise<boolean>;
  /** When a job was last begun or ended, else when the consumer started or was resumed, in unix ms. */
  lastConsumedAt(): number;
  /** Since when a job runs here without its lock, in unix ms; undefined when all that run have theirs. */
  lockLostAt(): number | undefined;
  /** Asks Redis for an answer. @throws QueueUnavailableError within a second */
  ping(): Promise<void>;
}

interface JobInHand {
  id: string | undefined;
  /** Aborted when the job is to go back. */
  giveUp: AbortController;
  lockLostAt?: number;
}

/** Makes a consumer; it connects at once, and takes jobs from `start` on. */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { redisUrl, prefix = QUEUE_PREFIX, process } = options;
  const connection = createConsumerConnection(redisUrl);
  // By this name BullMQ, and Bull Board, know a queue's workers.
  const name = `${prefix}:${Buffer.from(options.queue).toString('base64')}`;
  const blocking = createConsumerConnection(redisUrl, { name });
  const questions = createProducerConnection(redisUrl, { enqueueTimeoutMs: QUESTION_TIMEOUT_MS });
  const firstQuestion = firstAttempt(questions);
  const queue = openQueue(options.queue, questions, prefix);

  const inHand = new Set<JobInHand>();
  const suspects = createSuspects();
  const errors = reportChanges((error) => options.onError?.(error));
  let lastConsumedAt = Date.now();
  let isGivingUp = false;
  let closing: Promise<void> | undefined;
  let stalledLook: StalledLook = { from: 0 };
  const timers: NodeJS.Timeout[] = [];

  const worker = new Worker<unknown, void>(
    options.queue,
    async (job, token) => {
      const held: JobInHand = { id: job.id, giveUp: new AbortController() };
      if (isGivingUp) held.giveUp.abort();
      inHand.add(held);
      lastConsumedAt = Date.now();
      try {
        const { signal } = held.giveUp;
        await suspects.run(job, () => processJob(job, token, { process, signal, report }), signal);
        errors.reset();
      } finally {
        inHand.delete(held);
        lastConsumedAt = Date.now();
      }
    },
    {
      connection,
      prefix,
      autorun: false,
      concurrency: options.concurrency,
      lockDuration: LOCK_DURATION_MS,
      stalledInterval: STALLED_INTERVAL_MS,
      maxStalledCount: MAX_STALLED_COUNT,
      removeOnComplete: { count: 0 },
      settings: { backoffStrategy: (attempt) => backoffMs(attempt) },
    },
    workerBackend(connection, blocking, prefix),
  );
  worker.on('error', report);
  worker.on('failed', (job, error) => options.onFailed?.(jobFailure(job, error)));
  // Another worker has them now, or will have them: what only waits here is to leave.
  worker.on('lockRenewalFailed', (ids) => {
    for (const held of inHand) {
      if (held.id === undefined || !ids.includes(held.id)) continue;
      held.lockLostAt ??= Date.now();
      held.giveUp.abort();
    }
  });

  function report(thrown: unknown): void {
    if (closing === undefined) errors.report(thrown);
  }

  async function ask<T>(question: () => Promise<T>): Promise<T> {
    await firstQuestion;
    try {
      return await question();
    } catch (error) {
      throw new QueueUnavailableError('Redis does not answer.', { cause: cleanError(error) });
    }
  }

  /** Of the dead letters all rest in `failed`, and a person retries them. */
  async function lookForStalled(): Promise<void> {
    if (options.queue !== WEBHOOK_QUEUE) return;
    stalledLook = await retryStalled(questions, queue, { ...stalledLook, now: Date.now() });
  }

  function boundKeys(): Promise<void> {
    return boundExpiries(questions, {
      jobPrefix: queue.toKey(''),
      stalledCheckKey: queue.toKey('stalled-check'),
      stalledCheckMs: STALLED_INTERVAL_MS,
      activeKey: queue.toKey('active'),
      lockMs: LOCK_DURATION_MS,
    });
  }

  function every(intervalMs: number, work: () => Promise<void>): void {
    timers.push(setInterval(() => void work().catch(report), intervalMs).unref());
  }

  async function closeWithin(timeoutMs: number): Promise<void> {
    timers.forEach(clearInterval);
    const stopped = worker.close();
    const margin = Math.min(HAND_BACK_MARGIN_MS, timeoutMs / 2);
    await settledWithin(stopped, inHand.size === 0 ? Math.min(IDLE_CLOSE_MS, timeoutMs) : timeoutMs - margin);
    isGivingUp = true;
    for (const { giveUp } of inHand) giveUp.abort();
    if (inHand.size > 0) await settledWithin(stopped, margin);
    await queue.close();
    [connection, blocking, questions].forEach(endConnection);
  }

  return {
    start() {
      lastConsumedAt = Date.now();
      worker.run().catch(report);
      firstQuestion.then(boundKeys).then(lookForStalled).catch(report);
      if (timers.length > 0) return;
      every(RETRY_STALLED_INTERVAL_MS, lookForStalled);
      every(BOUND_INTERVAL_MS, boundKeys);
    },
    pause() {
      worker.pause(true).catch(report);
    },
    resume() {
      lastConsumedAt = Date.now();
      worker.resume().catch(report);
    },
    close({ timeoutMs }) {
      closing ??= closeWithin(timeoutMs);
      return closing;
    },
    counts: () => ask(() => countJobs(queue)),
    isQueuePaused: () => ask(() => queue.isPaused()),
    lastConsumedAt: () => lastConsumedAt,
    lockLostAt: () => {
      const lost = [...inHand].flatMap(({ lockLostAt }) => lockLostAt ?? []);
      return lost.length > 0 ? Math.min(...lost) : undefined;
    },
    ping: () => ask(async () => void (await questions.ping())),
  };
}

async function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  const timer = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([promise.catch(() => undefined), late]);
  timer.abort();
}
