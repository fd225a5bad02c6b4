import { setTimeout as delay } from 'node:timers/promises';
import { createIntake, intakeVariables } from '@landline/intake';
import { readSecret } from '@landline/process';
import { describeRedisUrl, queueVariables, readQueueServers } from '@landline/queue';
import type { Delivery } from '@landline/webhook/delivery';
import { z } from 'zod';
import type { CommandContext } from './command-context.ts';
import { CliError } from './errors.ts';
import { findRedis } from './find-redis.ts';

/** How long Redis may take for one job, in ms. No sender waits, so this may be longer than a receiver's ENQUEUE_TIMEOUT_MS. */
const JOB_LIMIT_MS = 10_000;

/** The destination of the events: the queue, or nothing in a dry run. */
export interface JobSink {
  maxEvents: number;
  maxBytes: number;
  /** Enqueues the events of one job. */
  put: (events: readonly Delivery[]) => Promise<void>;
  close: () => Promise<void>;
}

/**
 * Opens an intake that makes jobs of the same size as the receivers do. In a dry run the sink drops the events, and needs no Redis.
 *
 * @throws {CliError} `enqueue_failed`: Redis takes no events. `configuration_invalid`.
 */
export async function openJobSink(
  { root, env, print }: Pick<CommandContext, 'root' | 'env' | 'print'>,
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<JobSink> {
  const redisUrl = dryRun ? undefined : await findRedis(root, env);
  const given = { ...env, REDIS_URL: redisUrl, REDIS_CA: readSecret('REDIS_CA', env) };
  const read = z.object({ ...queueVariables, ...intakeVariables }).safeParse(given);
  if (!read.success) {
    throw new CliError('configuration_invalid', read.error.issues.map(({ message }) => message).join('\n'));
  }
  const limits = { batchMaxEvents: read.data.BATCH_MAX_EVENTS, batchMaxBytes: read.data.BATCH_MAX_BYTES };
  const size = { maxEvents: limits.batchMaxEvents, maxBytes: limits.batchMaxBytes };
  if (redisUrl === undefined) return { ...size, put: () => Promise.resolve(), close: () => Promise.resolve() };
  let fault = '';
  const intake = createIntake({
    ...(await readQueueServers(read.data)),
    ...limits,
    enqueueTimeoutMs: JOB_LIMIT_MS,
    onWarning: print,
    onError: (error) => (fault = error.message),
  });
  try {
    await intake.start();
    if (intake.status() !== 'ready') {
      throw new CliError('enqueue_failed', `Redis at ${describeRedisUrl(redisUrl)} takes nothing: ${fault}`);
    }
  } catch (error) {
    await intake.close();
    throw error;
  }
  return {
    ...size,
    async put(events) {
      const startedAt = performance.now();
      await Promise.all(events.map((event) => intake.accept(event)));
      // This pause is as long as the job took: so half of Redis' time is left for the events that the receivers enqueue.
      await delay(performance.now() - startedAt);
    },
    close: () => intake.close(),
  };
}
