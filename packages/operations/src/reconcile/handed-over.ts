import type { Ledger } from '@landline/store';

/** For how long what was handed over is waited for, in ms. After that it counts as lost, and is fetched again. */
const LOST_AFTER_MS = 6 * 3_600_000;

/** How many calls are kept in mind: the newest. */
const MOST_CALLS = 10_000;

/**
 * Remembers, from run to run, what was handed over and was not applied in time: an account in the queue, or audio that waits in this process's spool
 * for its storage. Until it is applied it is not fetched again. A process that starts anew does not know, and fetches it once more: it is a duplicate.
 */
export interface HandedOver {
  /** Notes that an event of a call was not applied in time. */
  note(conversationId: string, eventId: string): void;
  /** Returns which of these calls have an event that is still to be applied. @throws StoreError */
  waiting(conversationIds: readonly string[], ledger: Pick<Ledger, 'states'>): Promise<Set<string>>;
}

/** Makes an empty memory. */
export function createHandedOver(): HandedOver {
  const calls = new Map<string, { eventId: string; at: number }>();

  return {
    note(conversationId, eventId) {
      calls.delete(conversationId);
      // The oldest stand first.
      for (const [id, { at }] of calls) {
        if (calls.size < MOST_CALLS && performance.now() < at + LOST_AFTER_MS) break;
        calls.delete(id);
      }
      calls.set(conversationId, { eventId, at: performance.now() });
    },
    async waiting(conversationIds, ledger) {
      const held = conversationIds.flatMap((id) => {
        const call = calls.get(id);
        return call === undefined ? [] : [{ id, ...call }];
      });
      if (held.length === 0) return new Set();
      const states = await ledger.states(held.map(({ eventId }) => eventId));
      const isWaiting = ({ eventId, at }: { eventId: string; at: number }) =>
        !states.has(eventId) && performance.now() < at + LOST_AFTER_MS;
      for (const call of held) if (!isWaiting(call)) calls.delete(call.id);
      return new Set(held.filter(isWaiting).map(({ id }) => id));
    },
  };
}
