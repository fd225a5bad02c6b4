import { setTimeout as delay } from 'node:timers/promises';
import type { Journal } from '@landline/journal';
import type { Delivery } from '@landline/webhook';

/** How often the journal is asked without anybody having said that there is something, in ms. */
const ASK_MS = 1000;

/** What catch-up works with. */
export interface CatchUpOptions {
  journal: Pick<Journal, 'takePending'>;
  /** Writes one job, of so many bytes; rejects where Redis does not take it. */
  add: (events: readonly Delivery[], bytes: number) => Promise<void>;
  /** Whether Redis takes writes. */
  isReady: () => boolean;
  maxEvents: number;
  maxBytes: number;
}

/** Enqueues what Redis did not take, once it takes writes again. */
export interface CatchUp {
  /** Something is there, or Redis is back. */
  wake(): void;
  /** Records of the journal that were enqueued so far. */
  records(): number;
  /** Takes no more; resolves when nothing is under way. */
  close(): Promise<void>;
}

/**
 * Begins to catch up: oldest first, one job after the other, and after each it rests for as long as that took. So half of what Redis can
 * do, and more, is left for what arrives now.
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

/** Enqueues one job; returns how many records it held, 0 where there is none or Redis did not take it. */
async function enqueueNext({ journal, add, maxEvents, maxBytes }: CatchUpOptions): Promise<number> {
  const group = await journal.takePending({ maxEvents, maxBytes });
  if (group === undefined) return 0;
  const startedAt = performance.now();
  try {
    await add(group.events, group.bytes);
  } catch {
    // Told by the connection's watch; the group is the oldest still.
    group.failed();
    return 0;
  }
  group.enqueued();
  await delay(performance.now() - startedAt);
  return group.records;
}
