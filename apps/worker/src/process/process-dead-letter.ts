import { printable } from '@landline/process';
import type { ConsumedJob } from '@landline/queue';
import { normalise, type NormalisedEvent } from '@landline/webhook';
import type { EventFault } from '@landline/webhook/changes';
import { retryWhileUnavailable } from '../database/retry-while-unavailable.ts';
import { applyGroup } from './apply-group.ts';
import { DeadEventError } from '../errors.ts';
import { countProcessed } from '../metrics.ts';
import { onlyEvent, type WorkContext } from './process-events.ts';

/**
 * Processes one job of the dead-letter queue: tries its event once more, alone. If that fails, so does the job, with the
 * event's own error: it rests in `failed`, where Bull Board's Retry brings it here again. A letter that was restored from the
 * ledger is not tried the first time: it goes to rest with the error that the ledger has, while the event is dead there.
 *
 * @throws DeadEventError when the event stays dead; its ledger row says so before.
 */
export async function processDeadLetter(job: ConsumedJob, signal: AbortSignal, context: WorkContext): Promise<void> {
  const event = ofLetter(normalise(onlyEvent(job)), job);
  const retry = { gate: context.gate, signal };
  const isDead = () => context.store.isDead(event.entry.id);
  if (job.died && job.attempt === 1 && (await retryWhileUnavailable(isDead, retry))) {
    throw new DeadEventError(job.died.code, job.died.message);
  }
  const fault = await tryOnce(event, signal, context);
  if (!fault) return;
  const dead = { entry: event.entry, fault, attempts: 1 };
  await retryWhileUnavailable(() => context.pipeline.recordDead([dead]), retry);
  throw new DeadEventError(fault.code, fault.message, fault.cause);
}

/** The event under the ledger key of its letter: an older version may have given the same bytes another. */
function ofLetter(event: NormalisedEvent, job: ConsumedJob): NormalisedEvent {
  return { ...event, entry: { ...event.entry, id: job.deadEventId ?? event.entry.id } };
}

async function tryOnce(
  event: NormalisedEvent,
  signal: AbortSignal,
  context: WorkContext,
): Promise<(EventFault & { cause?: unknown }) | undefined> {
  if (event.outcome === 'dead') return event.fault;
  // Its last attempt in any case: whatever is wrong with it, it goes back to rest.
  const { outcomes, faults } = await applyGroup([event], {
    commit: context.pipeline.commitAlone,
    gate: context.gate,
    signal,
    attempt: 1,
    lastAttempt: true,
  });
  const error = faults[0]?.error;
  if (error) return { code: error.code, message: error.message, cause: error };
  const outcome = outcomes.get(event.entry.id) ?? 'duplicate';
  countProcessed(context, event.entry, outcome);
  context.logger.info(
    { event: event.entry.id },
    `✅ Dead letter ${outcome}: ${printable(event.entry.conversationId ?? event.entry.type ?? '')}`,
  );
  return undefined;
}
