import type { EventState } from '@landline/store';
import type { OperationContext } from '../operation-kind.ts';
import { pause } from '../retry-while-away.ts';
import { placesOf, type HandedEvent, type Place } from './places.ts';
import type { ReconcilePorts } from './reconcile-ports.ts';

/** The first and the longest pause between two looks, in ms. */
const FIRST_MS = 20;
const LONGEST_MS = 500;

/** How long it is waited for events of which none was applied meanwhile, in ms. */
export const SETTLE_MS = 120_000;

/** How to wait. */
export interface SettleOptions {
  context: Pick<OperationContext, 'retry' | 'signal'>;
  ports: Pick<ReconcilePorts, 'ledger' | 'queue' | 'isSpooled' | 'settleMs'>;
  /** What was known of these events before they were enqueued. */
  before: ReadonlyMap<string, EventState>;
}

/** What became of events, by their ids. */
export interface Settled {
  /** One is left out that no worker is through with. */
  states: Map<string, EventState>;
  /** Where the others are; one that is lost is left out. */
  places: Map<string, Place>;
}

/**
 * Waits until the worker is through with events that were enqueued, for as long as they are there, and something happens to some of them.
 *
 * @throws  The signal's reason.
 */
export async function settle(events: readonly HandedEvent[], options: SettleOptions): Promise<Settled> {
  const { context, ports, before } = options;
  const { settleMs = SETTLE_MS } = ports;
  const states = new Map<string, EventState>();
  let left = events;
  let progressAt = performance.now();
  // oxlint-disable no-await-in-loop -- until all are through
  for (let ms = FIRST_MS; ; ms = Math.min(LONGEST_MS, ms * 2)) {
    const asked = left;
    if (asked.length === 0) return { states, places: new Map() };
    // Whoever is done leaves its place once the ledger has it.
    const places = await context.retry(() => placesOf(asked, ports));
    const found = await context.retry(() => ports.ledger.states(asked.map(({ eventId }) => eventId)));
    for (const [id, state] of found) if (isThrough(state, before.get(id))) states.set(id, state);
    left = asked.filter(({ eventId }) => !states.has(eventId));
    if (left.length < asked.length) progressAt = performance.now();
    const isMoving = left.some(({ eventId }) => ['queue', 'spool'].includes(places.get(eventId) ?? ''));
    if (!isMoving || performance.now() > progressAt + settleMs) return { states, places };
    await pause(ms, context.signal);
  }
  // oxlint-enable no-await-in-loop
}

/** One that was dead before is tried again: it is applied, or its attempts are counted up. */
function isThrough(state: EventState, before: EventState | undefined): boolean {
  return before?.outcome !== 'dead' || state.outcome !== 'dead' || state.attempts > before.attempts;
}
