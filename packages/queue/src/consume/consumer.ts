import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { countJobs, type QueueCounts } from '../jobs/count-jobs.ts';
import { openQueue } from '../jobs/open-queue.ts';
import { QUEUE_PREFIX } from '../names.ts';
import { askRedis } from '../redis/ask-redis.ts';
import { createConsumerConnection, endConnection } from '../redis/connection.ts';
import { placeOf, type Place } from '../servers/place.ts';
import { reportChanges, type ChangeReporter } from '../redis/report-changes.ts';
import type { JobFailure } from './job-failure.ts';
import { createJobMemory, type JobMemory } from './job-memory.ts';
import { createJobsInHand, type JobsInHand } from './jobs-in-hand.ts';
import { openWorker } from './open-worker.ts';
import { runEvents, type ProcessJob, type RunJob } from './process-job.ts';
import { openQuestions, type Questions } from './questions.ts';
import { stopInTime } from './stop-in-time.ts';
import { createUpkeep, type Upkeep } from './upkeep.ts';

/** How to make a consumer of events. */
export interface ConsumerOptions extends Omit<AnyConsumerOptions, 'run'> {
  /** `WEBHOOK_QUEUE` or `DEAD_LETTER_QUEUE`. */
  queue: string;
  process: ProcessJob;
}

/** How to make a consumer of jobs of any kind. */
export interface AnyConsumerOptions extends Place {
  queue: string;
  /** How many jobs run at once. */
  concurrency: number;
  /** What the jobs in hand may hold; the consumers of one process share it. A memory of its own by default. */
  memory?: JobMemory;
  /** What `counts`, `isQueuePaused`, `ping` and the upkeep ask on; the consumers of one shard share it. One of its own by default. */
  questions?: Questions;
  run: RunJob;
  /** Called with faults of the connection and of BullMQ, not of jobs; once for a fault that repeats. */
  onError?: (error: Error) => void;
  /** Called for every attempt that failed. A job that was handed back did not fail. */
  onFailed?: (failure: JobFailure) => void;
}

/** Takes jobs from a queue. */
export interface Consumer {
  /** Begins to take jobs, now or as soon as Redis is there. */
  start(): void;
  /** Takes no more jobs until `resume`. Jobs in hand go on, and keep their locks. */
  pause(): void;
  /** Takes jobs again. */
  resume(): void;
  /**
   * Takes no more jobs and waits for running jobs, at most `timeoutMs`. Shortly before the limit it aborts their signals, and jobs that
   * give up go back to the queue. Then it cuts the connections. A job that ignores its signal may keep the process alive: end the
   * process. Another worker gets the job.
   */
  close(limit: { timeoutMs: number }): Promise<void>;
  /** Counts the queue's jobs. @throws QueueUnavailableError within a second */
  counts(): Promise<QueueCounts>;
  /** Tells whether a person has paused the queue. @throws QueueUnavailableError within a second */
  isQueuePaused(): Promise<boolean>;
  /** Returns when a job last began or ended, else when the consumer started or was resumed, in unix ms. */
  lastConsumedAt(): number;
  /** Returns how many jobs run here now. */
  inHand(): number;
  /** Returns since when a job runs here without its lock, in unix ms; undefined when all running jobs have theirs. */
  lockLostAt(): number | undefined;
  /** Asks Redis for an answer. @throws QueueUnavailableError within a second */
  ping(): Promise<void>;
}

interface Parts {
  readonly connections: Connections;
  readonly questions: Questions;
  /** Ends what `questions` is, where it is this consumer's own. */
  readonly endQuestions: () => void;
  readonly queue: Queue<unknown>;
  readonly jobs: JobsInHand;
  readonly errors: ChangeReporter;
  readonly worker: ReturnType<typeof openWorker>;
  readonly upkeep: Upkeep;
  readonly closing: Closing;
}

interface Closing {
  /** Undefined until the consumer is asked to close. */
  done?: Promise<void>;
}

/** Makes a consumer of events; it connects at once, and takes jobs from `start` on. */
export function createConsumer({ process, ...options }: ConsumerOptions): Consumer {
  return createAnyConsumer({ ...options, run: runEvents(process) });
}

/** Makes a consumer of jobs whose data `run` reads itself. */
export function createAnyConsumer(options: AnyConsumerOptions): Consumer {
  const parts = openParts(options);
  const { questions, queue, jobs, errors, worker, upkeep, closing } = parts;
  const ask = <T>(question: () => Promise<T>) => askRedis(questions.connected, 'Redis does not answer.', question);
  return {
    start() {
      jobs.touch();
      worker.run().catch(errors.report);
      upkeep.start();
    },
    pause() {
      worker.pause(true).catch(errors.report);
    },
    resume() {
      jobs.touch();
      worker.resume().catch(errors.report);
    },
    close({ timeoutMs }) {
      closing.done ??= closeWithin(parts, timeoutMs);
      return closing.done;
    },
    counts: () => ask(() => countJobs(queue)),
    isQueuePaused: () => ask(() => queue.isPaused()),
    lastConsumedAt: () => jobs.lastMovedAt(),
    inHand: () => jobs.count(),
    lockLostAt: () => jobs.lockLostAt(),
    ping: () => ask(async () => void (await questions.connection.ping())),
  };
}

function openParts(options: AnyConsumerOptions): Parts {
  const { prefix = QUEUE_PREFIX, memory = createJobMemory() } = options;
  const connections = openConnections(options);
  const questions = options.questions ?? openQuestions(options);
  const queue = openQueue(options.queue, questions.connection, prefix);
  const jobs = createJobsInHand();
  const closing: Closing = {};
  const errors = reportChanges((error) => {
    if (closing.done === undefined) options.onError?.(error);
  });
  const onFailed = (failure: JobFailure) => options.onFailed?.(failure);
  const worker = openWorker({ ...options, ...connections, prefix, memory, jobs, errors, onFailed });
  const upkeep = createUpkeep({ ...questions, queue, report: errors.report });
  const endQuestions = (): void => {
    if (options.questions === undefined) questions.close();
  };
  return { connections, questions, endQuestions, queue, jobs, errors, worker, upkeep, closing };
}

async function closeWithin(parts: Parts, timeoutMs: number): Promise<void> {
  const { connections, endQuestions, queue, jobs, worker, upkeep } = parts;
  upkeep.stop();
  await stopInTime({ stop: () => worker.close(), jobs, timeoutMs });
  await queue.close();
  Object.values(connections).forEach(endConnection);
  endQuestions();
}

type Connections = Record<'connection' | 'blocking', Redis>;

/** Opens BullMQ's two connections. */
function openConnections(options: AnyConsumerOptions): Connections {
  const { redisUrl, ...place } = placeOf(options);
  // BullMQ and Bull Board know a queue's workers by this name.
  const name = `${place.prefix}:${Buffer.from(options.queue).toString('base64')}`;
  return {
    connection: createConsumerConnection(redisUrl, place),
    blocking: createConsumerConnection(redisUrl, { ...place, name }),
  };
}
