import type { EventState, Ledger } from '@landline/store';
import type { OperationContext } from '../operation-kind.ts';
import { pause } from '../retry-while-away.ts';

/** The first and the longest pause between two looks, in ms. */
const FIRST_MS = 20;
const LONGEST_MS = 500;

/** How long it is waited for events of which none was applied meanwhile, in ms. */
export const SETTLE_MS = 120_000;

/** How to wait. */
export interface SettleOptions {
  context: Pick<OperationContext, 'retry' | 'signal'>;
  ledger: Pick<Ledger, 'states'>;
  /** What was known of these events before they were enqueued. */
  before: ReadonlyMap<string, EventState>;
  settleMs?: number | undefined;
}

/**
 * Waits until the worker is through with events that were enqueued. Returns what became of them; one is left out that the worker did not come to in time.
 *
 * @throws  The signal's reason.
 */
export async function settle(ids: readonly string[], options: SettleOptions): Promise<Map<string, EventState>> {
  const { context, ledger, before, settleMs = SETTLE_MS } = options;
  let settled = new Map<string, EventState>();
  let progressAt = performance.now();
  // oxlint-disable no-await-in-loop -- until all are through
  for (let ms = FIRST_MS; ; ms = Math.min(LONGEST_MS, ms * 2)) {
    const states = ids.length === 0 ? settled : await context.retry(() => ledger.states(ids));
    const now = new Map([...states].filter(([id, state]) => isThrough(state, before.get(id))));
    if (now.size > settled.size) progressAt = performance.now();
    settled = now;
    if (settled.size >= new Set(ids).size || performance.now() > progressAt + settleMs) return settled;
    await pause(ms, context.signal);
  }
  // oxlint-enable no-await-in-loop
}

/** One that was dead before is tried again: it is applied, or its attempts are counted up. */
function isThrough(state: EventState, before: EventState | undefined): boolean {
  return before?.outcome !== 'dead' || state.outcome !== 'dead' || state.attempts > before.attempts;
}
