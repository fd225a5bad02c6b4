import {
  createConsumer,
  createJobMemory,
  createRejectedConsumer,
  createRequestConsumer,
  DEAD_LETTER_QUEUE,
  openQuestions,
  shardPlaces,
  WEBHOOK_QUEUE,
  type Consumer,
  type JobFailure,
  type OldShard,
  type Questions,
  type QueueServers,
} from '@landline/queue';
import { MAX_TRANSACTIONS } from '../commit/share-transactions.ts';
import { processRejected, type RejectedContext } from '../rejected/process-rejected.ts';
import { carryOut, type RequestContext } from '../requests/carry-out.ts';
import { processDeadLetter } from './process-dead-letter.ts';
import { processEvents, type WorkContext } from './process-events.ts';
import { reportFailure } from './report-failure.ts';

/** Dead letters that are tried at once, each in a transaction of its own: enough for thousands to end in minutes, few beside the events. */
export const DEAD_LETTER_CONCURRENCY = 4;

/** Refused requests that are diagnosed at once, in all shards together: they must not disturb events. */
export const REJECTED_CONCURRENCY = 1;

/** Requests of the console that are carried out at once, in each shard: a moment each. Nothing keeps them in order: see `ConsoleRequest`. */
const REQUEST_CONCURRENCY = 1;

/** What the consumers work with. */
export interface ConsumersContext extends WorkContext {
  requests: Omit<RequestContext, 'logger'>;
  rejected: Omit<RejectedContext, 'metrics'>;
}

/** What the consumers are made with. */
export interface ConsumersOptions extends QueueServers {
  /** Jobs for one transaction. */
  concurrency: number;
}

/** The consumers of one shard. */
export interface ShardConsumers {
  /** The number of the shard; undefined where there is only one. Of an old one, its name: see `OldShard`. */
  shard: string | undefined;
  events: Consumer;
  deadLetters: Consumer;
  rejected: Consumer;
  requests: Consumer;
  /** What all of them ask on. */
  questions: Questions;
}

/** The consumers of the queues of every shard. */
export interface Consumers {
  /** By the number of the shard. */
  readonly shards: readonly [ShardConsumers, ...ShardConsumers[]];
  /** Those of `shards`, and of the old shards that were added. */
  all(): readonly ShardConsumers[];
  /** Takes the jobs of an old shard as well, until the worker closes. */
  addOld(old: OldShard): void;
  start(): void;
  setPaused(isPaused: boolean): void;
  /** How many jobs run in this process now. */
  inHand(): number;
  close(limit: { timeoutMs: number }): Promise<void>;
}

/** Makes the consumers; they take nothing until `start`. They share what a process may hold of jobs, and its transactions. */
export function createConsumers(options: ConsumersOptions, context: ConsumersContext): Consumers {
  const { concurrency, ...servers } = options;
  const memory = createJobMemory();
  const places = shardPlaces(servers);
  const open = (place: (typeof places)[number], i: number): ShardConsumers => {
    const shard = places.length === 1 ? undefined : String(i);
    return openShardConsumers({ ...place, concurrency, memory, shard }, context);
  };
  const [first, ...others] = places;
  const shards: Consumers['shards'] = [open(first, 0), ...others.map((place, i) => open(place, i + 1))];
  const all: ShardConsumers[] = [...shards];
  const each = (of: readonly ShardConsumers[]) =>
    of.flatMap(({ events, deadLetters, rejected, requests }) => [events, deadLetters, rejected, requests]);
  const state = { hasStarted: false, isPaused: false, isClosing: false };
  return {
    shards,
    all: () => all,
    addOld({ shard, ...place }) {
      if (state.isClosing) return;
      const old = openShardConsumers({ ...place, concurrency, memory, shard }, context);
      all.push(old);
      if (state.hasStarted) each([old]).forEach((consumer) => consumer.start());
      if (state.isPaused) each([old]).forEach((consumer) => consumer.pause());
      context.logger.warn(
        { shard },
        'Redis holds jobs of a shard that no new jobs go to: this worker takes them as well',
      );
    },
    start() {
      state.hasStarted = true;
      each(all).forEach((consumer) => consumer.start());
    },
    setPaused(isPaused) {
      state.isPaused = isPaused;
      each(all).forEach((consumer) => (isPaused ? consumer.pause() : consumer.resume()));
    },
    inHand: () => each(all).reduce((sum, consumer) => sum + consumer.inHand(), 0),
    async close(limit) {
      state.isClosing = true;
      await Promise.all(each(all).map((consumer) => consumer.close(limit)));
      all.forEach(({ questions }) => questions.close());
    },
  };
}

interface ShardOptions extends ConsumersOptions {
  memory: ReturnType<typeof createJobMemory>;
  shard: string | undefined;
}

function openShardConsumers({ concurrency, shard, ...place }: ShardOptions, context: ConsumersContext): ShardConsumers {
  const { logger, metrics } = context;
  const questions = openQuestions(place);
  const shared = { ...place, questions };
  const onError = (error: Error) => {
    metrics.redisErrors.inc();
    logger.error(`Redis${shard === undefined ? '' : `, shard ${shard}`}: ${error.message}`);
  };
  return {
    shard,
    questions,
    events: createConsumer({
      ...shared,
      queue: WEBHOOK_QUEUE,
      // While transactions are under way, the next one fills.
      concurrency: concurrency * (MAX_TRANSACTIONS + 1),
      process: (job, signal) => processEvents(job, signal, context),
      onError,
      onFailed: (failure: JobFailure) => reportFailure(failure, { logger, metrics }),
    }),
    deadLetters: createConsumer({
      ...shared,
      queue: DEAD_LETTER_QUEUE,
      concurrency: DEAD_LETTER_CONCURRENCY,
      process: (job, signal) => processDeadLetter(job, signal, context),
      onError,
    }),
    rejected: createRejectedConsumer({
      ...shared,
      concurrency: REJECTED_CONCURRENCY,
      process: (request, signal) => processRejected(request, signal, { ...context.rejected, metrics }),
      onError,
    }),
    requests: openRequests({ ...shared, onError }, context),
  };
}

function openRequests(
  options: Omit<ShardOptions, 'concurrency' | 'shard'> & { onError: (error: Error) => void },
  { logger, requests }: ConsumersContext,
): Consumer {
  return createRequestConsumer({
    ...options,
    concurrency: REQUEST_CONCURRENCY,
    process: (request, taken) => carryOut(request, taken, { ...requests, logger }),
    onUnreadable: (fault) => logger.error({ fault }, 'A request of the console cannot be read, and was removed'),
    onFailed({ id, final, error }) {
      // The message may quote what the request holds.
      logger.error({ job: id, final, code: error.name }, 'A request of the console failed');
    },
  });
}
