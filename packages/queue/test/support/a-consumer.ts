import { onTestFinished } from 'vitest';
import { createConsumer, type Consumer, type ConsumerOptions } from '../../src/consume/consumer.ts';
import type { JobFailure } from '../../src/consume/job-failure.ts';
import { WEBHOOK_QUEUE } from '../../src/names.ts';
import type { ConsumedJob } from '../../src/consume/process-job.ts';

export interface TestConsumer extends Consumer {
  /** Every call of `process`, in order. */
  jobs: ConsumedJob[];
  errors: Error[];
  failures: JobFailure[];
}

/** A started consumer of the webhook queue that is closed when the test ends, and what it saw. */
export function aConsumer(options: Pick<ConsumerOptions, 'redisUrl'> & Partial<ConsumerOptions>): TestConsumer {
  const jobs: ConsumedJob[] = [];
  const errors: Error[] = [];
  const failures: JobFailure[] = [];
  const consumer = createConsumer({
    queue: WEBHOOK_QUEUE,
    concurrency: 1,
    onError: (error) => errors.push(error),
    onFailed: (failure) => failures.push(failure),
    ...options,
    async process(job, signal) {
      jobs.push(job);
      await options.process?.(job, signal);
    },
  });
  onTestFinished(() => consumer.close({ timeoutMs: 2000 }));
  consumer.start();
  return { ...consumer, jobs, errors, failures };
}
