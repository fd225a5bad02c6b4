import { setTimeout as delay } from 'node:timers/promises';
import type { Journal } from '@landline/journal';
import type { Delivery } from '@landline/webhook';

/** How often catch-up asks the journal without being woken, in ms. */
const ASK_MS = 1000;

/** What catch-up works with. */
export interface CatchUpOptions {
  journal: Pick<Journal, 'takePending'>;
  /** Writes one job whose bodies have so many bytes; rejects where Redis does not take it. */
  add: (events: readonly Delivery[], bytes: number) => Promise<void>;
  /** Tells whether Redis takes writes. */
  isReady: () => boolean;
  maxEvents: number;
  maxBytes: number;
}

/** Enqueues what Redis did not take, once it takes writes again. */
export interface CatchUp {
  /** Asks the journal now: it holds something, or Redis is back. */
  wake(): void;
  /** Returns how many records of the journal were enqueued so far. */
  records(): number;
  /** Takes no more records; resolves when no job is under way. */
  close(): Promise<void>;
}

/**
 * Begins to catch up: oldest first, one job after the other. After each job catch-up rests for as long as the job took. So at least
 * half of what Redis can do is left for events that arrive now.
 */
export function startCatchUp(options: CatchUpOptions): CatchUp {
  let records = 0;
  const closing = new AbortController();
  let wake: (() => void) | undefined;

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one job after the other
      const enqueued = options.isReady() ? await enqueueNext(options) : 0;
      records += enqueued;
      // oxlint-disable-next-line no-await-in-loop -- one job after the other
      if (enqueued === 0 && !closing.signal.aborted) await untilWoken();
    }
  }

  function untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ASK_MS).unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  const running = run();
  return {
    wake: () => wake?.(),
    records: () => records,
    async close() {
      closing.abort();
      wake?.();
      await running;
    },
  };
}

/** Enqueues one job. Returns how many records it held; 0 where the journal has none or Redis did not take the job. */
async function enqueueNext({ journal, add, maxEvents, maxBytes }: CatchUpOptions): Promise<number> {
  const group = await journal.takePending({ maxEvents, maxBytes });
  if (group === undefined) return 0;
  const startedAt = performance.now();
  try {
    await add(group.events, group.bytes);
  } catch {
    // The watch of Redis reports it. The group stays the oldest.
    group.failed();
    return 0;
  }
  group.enqueued();
  await delay(performance.now() - startedAt);
  return group.records;
}
