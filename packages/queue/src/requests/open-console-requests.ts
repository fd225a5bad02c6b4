import type { JobsOptions, Queue } from 'bullmq';
import { QueueUnavailableError } from '../errors.ts';
import { openQueue } from '../jobs/open-queue.ts';
import { REQUESTS_QUEUE } from '../names.ts';
import { askRedis } from '../redis/ask-redis.ts';
import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { placeOf, type Place } from '../servers/place.ts';
import { shardPlaces, type QueueServers } from '../servers/shard-places.ts';
import { askedStart, askedStarts, startJobId, withdrawStart, type AskedStart } from './asked-starts.ts';
import { consoleRequestSchema, type ConsoleRequest } from './console-request.ts';

/** How long one shard may take to take a request, in ms: a person waits. */
const ANSWER_TIMEOUT_MS = 1000;

/** The name of the jobs, as Bull Board shows it. */
const JOB_NAME = 'request';

/** A job is removed when it is done. One that fails again and again, or whose workers all die, rests in `failed`, where Bull Board shows it. */
const JOB_OPTIONS: JobsOptions = {
  attempts: 8,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  removeOnFail: false,
};

/** Sends the console's requests to the workers. */
export interface ConsoleRequests {
  /**
   * Resolves when a shard has the request; then a worker carries it out, however long workers or Postgres are away. Where the answer of Redis was lost, it may be
   * carried out twice.
   *
   * @throws QueueUnavailableError where no shard takes it; then no worker carries it out, unless only the answer was lost.
   * @throws ZodError where it is no request: see `consoleRequestSchema`.
   */
  send(request: ConsoleRequest): Promise<void>;
  /**
   * Lists the operations that were asked for and that no worker has begun, the newest first, and some hundreds at most. A shard that does not answer is left out.
   *
   * @throws QueueUnavailableError where no shard answers.
   */
  starts(): Promise<AskedStart[]>;
  /** Reads one of them by the operation's id; undefined where no shard has it. @throws QueueUnavailableError where a shard does not answer, and no other has it. */
  start(operation: string): Promise<AskedStart | undefined>;
  /** Takes one of them out. Returns whether it did: not where a worker has it in hand. @throws QueueUnavailableError as `start` does */
  withdraw(operation: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens the queue of requests on every shard; connects with the first request. */
export function openConsoleRequests(servers: QueueServers): ConsoleRequests {
  const shards = shardPlaces(servers).map(openShardRequests);
  return {
    async send(request) {
      const checked = consoleRequestSchema.parse(request);
      let fault: unknown = new QueueUnavailableError('There is no shard.');
      for (const shard of shards) {
        try {
          // oxlint-disable-next-line no-await-in-loop -- until one takes it
          return await shard.send(checked);
        } catch (error) {
          fault = error;
        }
      }
      throw fault;
    },
    async starts() {
      const found = await Promise.allSettled(shards.map((shard) => shard.ask(askedStarts)));
      const answered = found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      const [first] = found;
      if (answered.length === 0 && first?.status === 'rejected') throw first.reason;
      return answered.flat().toSorted((a, b) => b.sentAt - a.sentAt);
    },
    start: (operation) =>
      firstThatHas(
        shards.map((shard) => shard.ask((queue) => askedStart(queue, operation))),
        undefined,
      ),
    withdraw: (operation) =>
      firstThatHas(
        shards.map((shard) => shard.ask((queue) => withdrawStart(queue, operation))),
        false,
      ),
    close: async () => void (await Promise.all(shards.map((shard) => shard.close()))),
  };
}

/** Returns the first answer that is not `nothing`. @throws what a shard threw, where no other has it */
async function firstThatHas<T>(asking: readonly Promise<T>[], nothing: T): Promise<T> {
  const answers = await Promise.allSettled(asking);
  for (const one of answers) if (one.status === 'fulfilled' && one.value !== nothing) return one.value;
  for (const one of answers) if (one.status === 'rejected') throw one.reason;
  return nothing;
}

/** The queue of requests on one shard. */
interface ShardRequests {
  /** @throws QueueUnavailableError */
  send(request: ConsoleRequest): Promise<void>;
  /** Asks the queue. @throws QueueUnavailableError */
  ask<T>(question: (queue: Queue<unknown>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

function openShardRequests(options: Place): ShardRequests {
  const { redisUrl, ...place } = placeOf(options);
  const connection = createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: ANSWER_TIMEOUT_MS });
  const queue = openQueue(REQUESTS_QUEUE, connection, place.prefix);
  let connected: Promise<void> | undefined;
  return {
    async send(request) {
      connected ??= firstAttempt(connection);
      // Whoever starts one operation twice, such as after a lost answer, starts it once.
      const jobId = request.do === 'start' ? { jobId: startJobId(request.id) } : {};
      await askRedis(connected, 'Redis does not take the request.', () =>
        queue.add(JOB_NAME, { v: 1, request }, { ...JOB_OPTIONS, ...jobId }),
      );
    },
    async ask(question) {
      connected ??= firstAttempt(connection);
      return askRedis(connected, 'Redis does not say what was asked for.', () => question(queue));
    },
    async close() {
      await queue.close();
      endConnection(connection);
    },
  };
}
