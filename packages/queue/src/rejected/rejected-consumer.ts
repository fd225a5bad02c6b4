import { UnrecoverableError } from 'bullmq';
import { z } from 'zod';
import { createAnyConsumer, type AnyConsumerOptions, type Consumer } from '../consume/consumer.ts';
import { REJECTED_QUEUE } from '../names.ts';
import { rejectedRequestSchema, type RejectedRequest } from './rejected-request.ts';

/** How to make a consumer of refused requests. */
export interface RejectedConsumerOptions extends Omit<AnyConsumerOptions, 'queue' | 'run'> {
  /** Its outcome decides what becomes of the job, as with `ProcessJob`. */
  process: (request: RejectedRequest, signal: AbortSignal) => Promise<void>;
}

/** Makes a consumer of requests that were refused for their signature; it takes jobs from `start` on. */
export function createRejectedConsumer({ process, ...options }: RejectedConsumerOptions): Consumer {
  return createAnyConsumer({
    ...options,
    queue: REJECTED_QUEUE,
    run: (_job, data, signal) => process(readRequest(data), signal),
  });
}

function readRequest(data: unknown): RejectedRequest {
  const parsed = rejectedRequestSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new UnrecoverableError(`This job's data is no refused request. ${z.prettifyError(parsed.error)}`);
}
