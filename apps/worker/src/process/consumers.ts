import { createConsumer, createJobMemory, DEAD_LETTER_QUEUE, WEBHOOK_QUEUE, type JobFailure } from '@landline/queue';
import { MAX_TRANSACTIONS } from '../commit/share-transactions.ts';
import { processDeadLetter } from './process-dead-letter.ts';
import { processEvents, type WorkContext } from './process-events.ts';
import { reportFailure } from './report-failure.ts';

/** Dead letters that are tried at once, each in a transaction of its own: enough for thousands to end in minutes, few beside the events. */
export const DEAD_LETTER_CONCURRENCY = 4;

/** See `createConsumers`. */
export type Consumers = ReturnType<typeof createConsumers>;

/** What the consumers are made with. */
export interface ConsumersOptions {
  redisUrl: string;
  /** Jobs for one transaction. */
  concurrency: number;
}

/** Makes the consumers of both queues; they take nothing until `start`. */
export function createConsumers({ redisUrl, concurrency }: ConsumersOptions, context: WorkContext) {
  const { logger, metrics } = context;
  const onError = (error: Error) => {
    metrics.redisErrors.inc();
    logger.error(`Redis: ${error.message}`);
  };
  // While transactions are under way, the next one fills.
  const eventConcurrency = concurrency * (MAX_TRANSACTIONS + 1);
  const memory = createJobMemory();
  const events = createConsumer({
    redisUrl,
    queue: WEBHOOK_QUEUE,
    concurrency: eventConcurrency,
    memory,
    process: (job, signal) => processEvents(job, signal, context),
    onError,
    onFailed: (failure: JobFailure) => reportFailure(failure, { logger, metrics }),
  });
  const deadLetters = createConsumer({
    redisUrl,
    queue: DEAD_LETTER_QUEUE,
    concurrency: DEAD_LETTER_CONCURRENCY,
    memory,
    process: (job, signal) => processDeadLetter(job, signal, context),
    onError,
  });
  const both = [events, deadLetters];
  return {
    events,
    deadLetters,
    start: () => both.forEach((consumer) => consumer.start()),
    setPaused: (isPaused: boolean) => both.forEach((consumer) => (isPaused ? consumer.pause() : consumer.resume())),
    close: (limit: { timeoutMs: number }) => Promise.all(both.map((consumer) => consumer.close(limit))),
  };
}
