import { printable, type Logger } from '@landline/process';
import type { ActivityWriter, DeadLetter, DeadLetters } from '@landline/queue';
import { HandBackError } from '@landline/queue/errors';
import type { DeadEvent } from '@landline/store';
import type { Pipeline } from '../commit/pipeline.ts';
import { retryWhileUnavailable, type RetryContext } from '../database/retry-while-unavailable.ts';
import type { WorkerMetrics } from '../metrics.ts';

/** What dead letters are made with. */
export interface DeadLetterContext extends RetryContext {
  pipeline: Pick<Pipeline, 'recordDead'>;
  deadLetters: Pick<DeadLetters, 'add'>;
  logger: Logger;
  metrics: WorkerMetrics;
  activity: Pick<ActivityWriter, 'count'>;
}

/**
 * Makes dead letters of events: it records each in the ledger first, so that it outlasts even the loss of Redis, and then enqueues it in the
 * dead-letter queue. Safe to repeat.
 *
 * @throws HandBackError, StoreError: nothing is lost, the job that carries the events comes back.
 */
export async function moveToDeadLetters(events: readonly DeadEvent[], context: DeadLetterContext): Promise<void> {
  if (events.length === 0) return;
  const dead = await retryWhileUnavailable(() => context.pipeline.recordDead(events), context);
  const letters = new Map<string, DeadLetter>();
  for (const { entry, fault } of events) {
    if (!dead.has(entry.id) || letters.has(entry.id)) continue;
    letters.set(entry.id, { id: entry.id, event: entry.delivery });
    context.metrics.dead.inc({ code: fault.code });
    context.activity.count('dead');
    const type = entry.type === null ? null : printable(entry.type);
    context.logger.error({ event: entry.id, type, code: fault.code }, '💀 Dead letter');
  }
  try {
    await context.deadLetters.add([...letters.values()]);
  } catch (error) {
    // Redis is away or full, which is no fault of the job's: it comes back without having spent an attempt.
    throw new HandBackError('Redis did not take the dead letters.', { cause: error });
  }
}
