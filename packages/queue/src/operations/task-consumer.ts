import { DelayedError, Worker, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { createJobsInHand } from '../consume/jobs-in-hand.ts';
import { LOCK_DURATION_MS, STALLED_INTERVAL_MS } from '../consume/open-worker.ts';
import { stopInTime } from '../consume/stop-in-time.ts';
import { workerBackend } from '../consume/worker-backend.ts';
import { openQueue } from '../jobs/open-queue.ts';
import { OPERATIONS_QUEUE } from '../names.ts';
import {
  createConsumerConnection,
  createProducerConnection,
  endConnection,
  firstAttempt,
} from '../redis/connection.ts';
import { reportChanges } from '../redis/report-changes.ts';
import { placeOf, type Place } from '../servers/place.ts';
import { keepSchedules } from './keep-schedules.ts';
import { wakeTask, type Task } from './task.ts';

/** How long Redis may take to answer, in ms. */
const QUESTION_TIMEOUT_MS = 2000;

/** Tasks that run at once in this process: one may last for hours, and the others must not wait for it. */
const CONCURRENCY = 8;

/** Its jobs hold nothing, so one that has lost its worker often is no suspect. */
const MAX_STALLED_COUNT = 1_000;

/** How to make a consumer of tasks. */
export interface TaskConsumerOptions extends Place {
  /** By name. */
  tasks: Readonly<Record<string, Task>>;
  /** Called with faults of the connection, of BullMQ and of tasks; once for a fault that repeats. */
  onError: (error: Error) => void;
}

/** Runs tasks when their time has come, on one shard. */
export interface TaskConsumer {
  /** Begins, now or as soon as Redis is there. */
  start(): void;
  /** Begins no more tasks, aborts those that run, wakes another worker for them, and ends within `timeoutMs`. */
  close(limit: { timeoutMs: number }): Promise<void>;
}

/**
 * Makes a consumer of tasks on the queue `webhook-operations`. BullMQ's job schedulers make one job a tick, and the worker that gets it runs
 * the task. No job is ever tried again or kept: what is due is asked anew at each tick.
 */
export function createTaskConsumer({ tasks, onError, ...options }: TaskConsumerOptions): TaskConsumer {
  const { redisUrl, ...place } = placeOf(options);
  const connection = createConsumerConnection(redisUrl, place);
  const blocking = createConsumerConnection(redisUrl, place);
  const questions = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: QUESTION_TIMEOUT_MS });
  const connected = firstAttempt(questions);
  const queue = openQueue(OPERATIONS_QUEUE, questions, place.prefix);
  const jobs = createJobsInHand();
  /** The tasks that this process leaves to others. */
  const left = new Set<string>();
  let isClosing = false;
  const errors = reportChanges((error) => {
    if (!isClosing) onError(error);
  });

  async function runTask(job: Job<unknown, void>, signal: AbortSignal): Promise<void> {
    // A worker of a newer version has tasks that this one does not know; it gets the next tick.
    const task = Object.hasOwn(tasks, job.name) ? tasks[job.name] : undefined;
    try {
      await task?.run(signal);
    } catch (error) {
      // The next tick tries again. A job that rests in `failed` would help nobody.
      errors.report(error);
    }
    if (signal.aborted) left.add(job.name);
    leaveWhatIsGone(job);
  }

  const worker = openTaskWorker({ connection, blocking, prefix: place.prefix }, (job) =>
    jobs.run(job.id, (signal) => runTask(job, signal)),
  );
  worker.on('error', errors.report);
  const schedules = keepSchedules({ queue, connected, tasks, report: errors.report });
  return {
    start() {
      worker.run().catch(errors.report);
      schedules.start();
    },
    async close({ timeoutMs }) {
      isClosing = true;
      schedules.stop();
      jobs.handBackAll();
      await stopInTime({ stop: () => worker.close(), jobs, timeoutMs });
      // Before another worker is woken: else this one's own read may get the job, and nobody would run it until it stalls.
      [connection, blocking].forEach(endConnection);
      await Promise.all([...left].map((task) => wakeTask(queue, task).catch(() => undefined)));
      await queue.close();
      endConnection(questions);
    },
  };
}

interface Connections {
  connection: Redis;
  blocking: Redis;
  prefix: string;
}

function openTaskWorker(
  { connection, blocking, prefix }: Connections,
  run: (job: Job<unknown, void>) => Promise<void>,
): Worker<unknown, void> {
  return new Worker<unknown, void>(
    OPERATIONS_QUEUE,
    run,
    {
      connection,
      prefix,
      autorun: false,
      concurrency: CONCURRENCY,
      lockDuration: LOCK_DURATION_MS,
      stalledInterval: STALLED_INTERVAL_MS,
      maxStalledCount: MAX_STALLED_COUNT,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    },
    workerBackend(connection, blocking, prefix),
  );
}

/**
 * A task may outlive the lock of its job: Redis was away, and another worker has taken the job and found nothing to do. That is no fault,
 * because the job holds nothing.
 */
function leaveWhatIsGone(job: Job<unknown, void>): void {
  const complete = job.moveToCompleted.bind(job);
  job.moveToCompleted = async (...result) => {
    try {
      return await complete(...result);
    } catch {
      throw new DelayedError('The job of a task is gone.');
    }
  };
}
