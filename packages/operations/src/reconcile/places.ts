import type { ReconcilePorts } from './reconcile-ports.ts';

/** An event that was handed over, and of which call it is. */
export interface HandedEvent {
  conversationId: string;
  eventId: string;
  /** The job that has it, or will have it. */
  jobId: string;
}

/**
 * Where an event is that was handed over:
 *
 * - `spool`: this process's spool has its audio, until the storage has taken it and the queue has its job.
 * - `queue`: its job waits or runs.
 * - `failed`: its job rests among the failed ones, and no worker goes on with it by itself.
 */
export type Place = 'spool' | 'queue' | 'failed';

/** Why a call is missing whose event is there. */
export const REASONS: Readonly<Record<Place, string>> = {
  spool: 'its audio was fetched, and waits for the storage of recordings',
  queue: 'it was fetched, and waits for the worker',
  failed: 'it was fetched, and its job rests among the failed ones: the dashboard of the queues has it',
};

/** Why a call is missing whose event is nowhere. */
export const LOST = 'what was fetched was lost on its way: the next run fetches it again';

/** How to ask. */
export type PlacesPorts = Pick<ReconcilePorts, 'queue' | 'isSpooled'>;

/**
 * Finds events that were handed over, by their ids; one that is nowhere is left out. It was applied, or it is lost: ask the ledger afterwards. Audio goes from the
 * spool into the queue, so the spool is asked first.
 */
export async function placesOf(
  events: readonly HandedEvent[],
  { queue, isSpooled }: PlacesPorts,
): Promise<Map<string, Place>> {
  const places = new Map<string, Place>();
  const others = events.filter(({ eventId }) => isSpooled?.(eventId) !== true);
  const jobs = [...new Set(others.map(({ jobId }) => jobId))];
  const states = jobs.length === 0 ? [] : await queue.states(jobs);
  const byJob = new Map(jobs.map((id, i) => [id, states[i]]));
  for (const { eventId } of events) places.set(eventId, 'spool');
  for (const { eventId, jobId } of others) {
    const state = byJob.get(jobId);
    if (state === 'pending') places.set(eventId, 'queue');
    else if (state === 'failed') places.set(eventId, 'failed');
    else places.delete(eventId);
  }
  return places;
}
