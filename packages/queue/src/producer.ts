import { watchAvailability, type QueueStatus } from './availability.ts';
import { createProducerConnection, endConnection } from './connection.ts';
import { QueueUnavailableError } from './errors.ts';
import { createGroupCommit } from './group-commit.ts';
import { EVENT_JOB_OPTIONS, JOB_NAME } from './job-options.ts';
import { deliveredEventSchema, type DeliveredEvent, type Job } from './job.ts';
import { QUEUE_PREFIX, WEBHOOK_QUEUE } from './names.ts';
import { openQueue } from './open-queue.ts';

export interface ProducerOptions {
  redisUrl: string;
  prefix?: string;
  /** Most events in one job. */
  batchMaxEvents: number;
  /** Most bytes of bodies in one job; a larger event is a job of its own. */
  batchMaxBytes: number;
  /** No `enqueue` takes longer than this, in ms. */
  enqueueTimeoutMs: number;
  /** What the check of Redis warns of; told once, and again when it changes. */
  onWarning?: (message: string) => void;
  /** Why Redis is away or refused; told once per outage, never with an event's content. */
  onError?: (error: Error) => void;
  /** Redis takes events again, after `onError` told why it did not; told once per return. */
  onReady?: () => void;
}

/** Puts events on the webhook queue. */
export interface Producer {
  /** Connects and checks Redis. Resolves also when Redis is away: it is looked for from then on. @throws RedisRefusedError */
  start(): Promise<void>;
  /**
   * Resolves when the job that carries the event is in Redis.
   *
   * @throws QueueUnavailableError within milliseconds while Redis is away, and within `enqueueTimeoutMs` in any case.
   */
  enqueue(event: DeliveredEvent): Promise<void>;
  status(): QueueStatus;
  /** Takes no more, answers every caller (within `enqueueTimeoutMs`), then closes. */
  close(): Promise<void>;
}

/** Makes a producer; it connects at `start`. Events enqueued in one turn of the event loop leave as one job. */
export function createProducer(options: ProducerOptions): Producer {
  const { redisUrl, prefix = QUEUE_PREFIX, enqueueTimeoutMs } = options;
  const connection = createProducerConnection(redisUrl, { enqueueTimeoutMs });
  const queue = openQueue(WEBHOOK_QUEUE, connection, prefix);
  let closing = false;

  const groups = createGroupCommit({
    write,
    maxEvents: options.batchMaxEvents,
    maxBytes: options.batchMaxBytes,
    timeoutMs: enqueueTimeoutMs,
  });
  const availability = watchAvailability({
    connection,
    probeKey: `${prefix}:probe`,
    onAway: (fault) => groups.drop(fault),
    onWarning: (message) => options.onWarning?.(message),
    onError: (error) => options.onError?.(error),
    onReady: () => options.onReady?.(),
  });

  async function write(events: DeliveredEvent[], bytes: number): Promise<void> {
    availability.spend(bytes);
    const job: Job = { v: 1, events };
    try {
      await queue.add(JOB_NAME, job, EVENT_JOB_OPTIONS);
    } catch (error) {
      throw availability.suspect(error);
    }
  }

  return {
    start: () => availability.connect(),
    async enqueue(event) {
      const fault = closing ? new QueueUnavailableError('The producer is closing.') : availability.fault();
      if (fault !== undefined) throw fault;
      await groups.add(deliveredEventSchema.parse(event));
    },
    status: () => availability.status(),
    async close() {
      closing = true;
      await groups.settled();
      availability.close();
      await queue.close();
      endConnection(connection);
    },
  };
}
