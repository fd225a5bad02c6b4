import type { Logger } from '@landline/process';
import type { JobFailure } from '@landline/queue';
import { StoreError } from '@landline/store';
import type { WorkerMetrics } from '../metrics.ts';

/**
 * Tells of an attempt at a job of the webhook queue that failed: no event may come to rest there unseen. A dead letter's
 * own failure is no news, for `moveToDeadLetters` has logged it. The error's message may quote an event, so only its code is logged.
 */
export function reportFailure(
  { id, attempt, final, error }: JobFailure,
  { logger, metrics }: { logger: Logger; metrics: WorkerMetrics },
): void {
  metrics.failedAttempts.inc({ final: String(final) });
  const code = error instanceof StoreError ? error.code : error.name;
  if (final) {
    logger.error(
      { job: id, attempt, code },
      'A job rests in failed, with its events: see the dashboard, webhook-events',
    );
  } else {
    logger.warn({ job: id, attempt, code }, 'An attempt failed; the job is tried again');
  }
}
