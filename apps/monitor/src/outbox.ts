import { setMaxListeners } from 'node:events';
import { createLanes, type Lanes, type Limits } from './lanes.ts';
import type { Sender } from './send-event.ts';

/** What may wait of one call, and of all calls. */
const OF_A_CALL: Limits = { events: 1_000, bytes: 4 * 1024 * 1024 };
const OF_ALL: Limits = { events: 50_000, bytes: 64 * 1024 * 1024 };

/** How many requests may be on their way at once. The receiver writes what comes together in one go. */
const SENDERS = 16;

/** The options of an outbox. */
export interface OutboxOptions {
  sender: Pick<Sender, 'send'>;
  ofACall?: Limits;
  ofAll?: Limits;
}

/** The events that wait to be sent. Those of one call go in their order. */
export interface Outbox extends Pick<Lanes, 'add' | 'hasRoom'> {
  /** Sends on for so long at most, then forgets what waits: while its call runs, the provider sends it again. */
  close(withinMs: number): Promise<void>;
}

/** Makes an outbox. */
export function createOutbox({ sender, ofACall = OF_A_CALL, ofAll = OF_ALL }: OutboxOptions): Outbox {
  const lanes = createLanes({ ofACall, ofAll });
  const leaving = new AbortController();
  // Each sender that pauses listens, and Node warns of a leak from the eleventh on.
  setMaxListeners(2 * SENDERS, leaving.signal);
  const working = new Set<Promise<void>>();
  /** Sends the first event of one lane after another, until none waits. */
  const work = async (): Promise<void> => {
    for (let lane = lanes.take(); lane !== undefined; lane = lanes.take()) {
      const [event] = lane.events;
      // oxlint-disable-next-line no-await-in-loop -- those of a call in their order
      if (event !== undefined) await sender.send(event, leaving.signal);
      if (leaving.signal.aborted) return;
      lanes.giveBack(lane);
    }
  };
  return {
    add(callId, event) {
      if (!lanes.add(callId, event)) return false;
      if (working.size < SENDERS) {
        const worked = work().finally(() => working.delete(worked));
        working.add(worked);
      }
      return true;
    },
    hasRoom: (callId) => lanes.hasRoom(callId),
    async close(withinMs) {
      const late = setTimeout(() => leaving.abort(), withinMs);
      // An event that is on its way to a receiver that hangs is given up.
      const isLate = new Promise((resolve) => leaving.signal.addEventListener('abort', resolve, { once: true }));
      await Promise.race([Promise.all(working), isLate]);
      clearTimeout(late);
      leaving.abort();
    },
  };
}
