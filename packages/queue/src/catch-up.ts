import { setTimeout as delay } from 'node:timers/promises';
import type { Delivery } from '@landline/webhook';
import type { GroupJournal } from './group-journal.ts';

/** How often the journal is asked without anybody having said that there is something, in ms. */
const ASK_MS = 1000;

export interface CatchUpOptions {
  journal: Pick<GroupJournal, 'takePending'>;
  /** Writes one job, of so many bytes. */
  add: (events: Delivery[], bytes: number) => Promise<void>;
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
export function startCatchUp({ journal, add, isReady, maxEvents, maxBytes }: CatchUpOptions): CatchUp {
  let records = 0;
  const closing = new AbortController();
  let wake: (() => void) | undefined;

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one job after the other
      const isMore = isReady() && (await enqueueNext());
      // oxlint-disable-next-line no-await-in-loop -- one job after the other
      if (!isMore && !closing.signal.aborted) await untilWoken();
    }
  }

  /** Enqueues one job; whether there may be another. */
  async function enqueueNext(): Promise<boolean> {
    const group = await journal.takePending({ maxEvents, maxBytes });
    if (group === undefined) return false;
    const startedAt = performance.now();
    try {
      await add(group.events, group.bytes);
    } catch {
      // Told by the connection's watch; the group is the oldest still.
      group.failed();
      return false;
    }
    group.enqueued();
    records += group.records;
    await delay(performance.now() - startedAt);
    return true;
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
