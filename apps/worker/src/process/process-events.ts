import { printable, type Logger } from '@landline/process';
import type { ConsumedJob } from '@landline/queue';
import type { ApplicableEvent, ApplyOutcome, Store } from '@landline/store';
import { normalise, type Delivery, type NormalisedEvent } from '@landline/webhook';
import { isCanary } from '@landline/webhook/canary';
import type { Pipeline } from '../commit/pipeline.ts';
import type { DatabaseGate } from '../database/database-gate.ts';
import { moveToDeadLetters, type DeadLetterContext } from '../dead-letters/move-to-dead-letters.ts';
import { countProcessed, type Counting } from '../metrics.ts';
import { applyGroup } from './apply-group.ts';

/** What the worker works with. */
export interface WorkContext extends Omit<DeadLetterContext, 'signal'> {
  pipeline: Pipeline;
  store: Pick<Store, 'isDead'>;
  gate: DatabaseGate;
  activity: Counting['activity'];
}

/**
 * Processes one job of the webhook queue: normalise, fold and apply its events in one transaction, and make dead letters
 * of those that cannot be applied. When it returns, every event of the job is accounted for in the ledger.
 *
 * @throws whatever the job should be retried for; what was applied by then is skipped the next time.
 */
export async function processEvents(job: ConsumedJob, signal: AbortSignal, context: WorkContext): Promise<void> {
  const read = job.events.map(normalise);
  const applicable = read.filter((event) => event.outcome !== 'dead');
  const { attempt, lastAttempt } = job;
  const { outcomes, faults, later } = await applyGroup(applicable, {
    commit: context.pipeline.commit,
    gate: context.gate,
    signal,
    attempt,
    lastAttempt,
  });
  report(applicable, outcomes, context);

  const refused = new Map(
    faults.map(({ event, error }) => [event.entry.id, { code: error.code, message: error.message }]),
  );
  const dead = read.flatMap((event) => {
    const fault = event.outcome === 'dead' ? event.fault : refused.get(event.entry.id);
    // A canary that fails reports the fault by not coming through.
    return fault && !isCanary(event) ? [{ entry: event.entry, fault, attempts: job.attempt }] : [];
  });
  await moveToDeadLetters(dead, { ...context, signal });
  if (later) throw later;
}

/** One line for each event, as an operator greps for it: no more of it than its type and its conversation's id. */
function report(
  events: readonly ApplicableEvent[],
  outcomes: ReadonlyMap<string, ApplyOutcome>,
  { logger, ...counting }: Counting & { logger: Logger },
): void {
  const seen = new Set<string>();
  for (const event of events) {
    const { id } = event.entry;
    const outcome = outcomes.get(id);
    if (outcome === undefined || isCanary(event)) continue;
    // Twice in one group: the second is a duplicate of the first.
    const counted = seen.has(id) ? 'duplicate' : outcome;
    seen.add(id);
    countProcessed(counting, event.entry, counted);
    if (counted !== 'duplicate') logger.info(lineOf(event, counted));
  }
}

function lineOf(event: NormalisedEvent, outcome: ApplyOutcome): string {
  if (event.outcome !== 'applied') return `Ignored, but recorded: ${printable(event.entry.type ?? '')}`;
  const conversation = printable(event.entry.conversationId ?? '');
  return outcome === 'applied'
    ? `✅ ${event.done}: ${conversation}`
    : `Only its id is recorded, for the conversation is erased: ${conversation}`;
}

/** A delivery's only event; a dead letter carries one. */
export function onlyEvent(job: ConsumedJob): Delivery {
  const [event] = job.events;
  if (!event || job.events.length > 1)
    throw new Error(`A dead letter carries one event, this one ${job.events.length}.`);
  return event;
}
