import { z } from 'zod';
import { createAnyConsumer, type AnyConsumerOptions, type Consumer } from '../consume/consumer.ts';
import { REQUESTS_QUEUE } from '../names.ts';
import { requestJobSchema, type ConsoleRequest } from './console-request.ts';

/** What is known of a request that a worker has taken. */
export interface TakenRequest {
  /** When it was sent, in unix ms, by the clock of whoever sent it. */
  sentAt: number;
  /** Whether no worker has had it before: it was not handed back, and did not fail. */
  isFirst: boolean;
}

/** How to make a consumer of requests. */
export interface RequestConsumerOptions extends Omit<AnyConsumerOptions, 'queue' | 'run'> {
  /**
   * Carries a request out. Its outcome decides what becomes of the job, as with `ProcessJob`.
   */
  process: (request: ConsoleRequest, context: TakenRequest & { signal: AbortSignal }) => Promise<void>;
  /** Called with the fault of a job that nobody can read; the job is removed. The text quotes no value of it. */
  onUnreadable: (fault: string) => void;
}

/** Makes a consumer of the console's requests; it takes jobs from `start` on. */
export function createRequestConsumer({ process, onUnreadable, ...options }: RequestConsumerOptions): Consumer {
  return createAnyConsumer({
    ...options,
    queue: REQUESTS_QUEUE,
    async run(job, data, signal) {
      const parsed = requestJobSchema.safeParse(data);
      if (!parsed.success) return onUnreadable(z.prettifyError(parsed.error));
      await process(parsed.data.request, { sentAt: job.timestamp, isFirst: job.attemptsStarted <= 1, signal });
    },
  });
}
