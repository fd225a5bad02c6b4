import { setTimeout as delay } from 'node:timers/promises';
import type { Journal, PendingGroup } from '@landline/journal';
import type { Shard } from '@landline/queue';

/** How often catch-up asks the journal without being woken, in ms. */
const ASK_MS = 1000;

/** Leads the job id of a group of the journal, so that no id looks like a number or one of BullMQ's own keys. */
const PREFIX = 'journal-';

/** How long `close` waits for the job under way, in ms. A large one may take much longer; the next process writes it again. */
const CLOSE_LIMIT_MS = 1000;

/** What catch-up works with. */
export interface CatchUpOptions {
  journal: Pick<Journal, 'takePending'>;
  /** Writes the jobs. Catch-up closes it. */
  writer: Pick<Shard['catchUp'], 'isReachable' | 'write' | 'close'>;
  /** Tells whether Redis takes writes. */
  isReady: () => boolean;
  /** Called with why Redis does not take a group while it takes others; once for each reason, until Redis takes one again. */
  onWarning: (message: string) => void;
  maxEvents: number;
  maxBytes: number;
}

/** Enqueues what Redis did not take, once it takes writes again. */
export interface CatchUp {
  /** Asks the journal now: it holds something, or Redis is back. */
  wake(): void;
  /** Returns how many records of the journal were enqueued so far. */
  records(): number;
  /** Takes no more records; resolves when no job is under way. Gives up a job that takes longer than a second. */
  close(): Promise<void>;
}

/** One run of catch-up. */
interface Run extends CatchUpOptions {
  readonly closing: AbortController;
  records: number;
  /** The last warning; undefined when Redis has taken a group since. */
  warning: string | undefined;
  wake: (() => void) | undefined;
}

/**
 * Begins to catch up: oldest first, one job after the other, on a connection of its own. After each job catch-up rests for as long as
 * the job took. So at least half of what Redis can do is left for events that arrive now. A job that Redis does not take goes behind
 * the others.
 */
export function startCatchUp(options: CatchUpOptions): CatchUp {
  const run: Run = { ...options, closing: new AbortController(), records: 0, warning: undefined, wake: undefined };
  const running = enqueueAll(run);
  return {
    wake: () => run.wake?.(),
    records: () => run.records,
    async close() {
      run.closing.abort();
      run.wake?.();
      await Promise.race([running, delay(CLOSE_LIMIT_MS, undefined, { ref: false })]);
      await run.writer.close();
      await running;
    },
  };
}

async function enqueueAll(run: Run): Promise<void> {
  const { signal } = run.closing;
  while (!signal.aborted) {
    // oxlint-disable-next-line no-await-in-loop -- one job after the other
    const enqueued = run.isReady() && (await run.writer.isReachable()) ? await enqueueNext(run) : 0;
    run.records += enqueued;
    // oxlint-disable-next-line no-await-in-loop -- one job after the other
    if (enqueued === 0 && !signal.aborted) await untilWoken(run);
  }
}

function untilWoken(run: Run): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ASK_MS).unref();
    run.wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

/** Enqueues one job. Returns how many records it held; 0 where the journal has none or Redis did not take the job. */
async function enqueueNext(run: Run): Promise<number> {
  const { journal, writer, maxEvents, maxBytes, closing } = run;
  const group = await journal.takePending({ maxEvents, maxBytes });
  if (group === undefined) return 0;
  const startedAt = performance.now();
  try {
    await writer.write({ ...group, id: `${PREFIX}${group.id}` });
  } catch (error) {
    postpone(run, group, error);
    return 0;
  }
  group.enqueued();
  run.warning = undefined;
  await delay(performance.now() - startedAt, undefined, { signal: closing.signal }).catch(() => undefined);
  return group.records;
}

function postpone(run: Run, group: PendingGroup, error: unknown): void {
  group.postpone();
  const reason = error instanceof Error ? error.message : String(error);
  const warning = `A group of the journal is not enqueued yet; the others go on, and it is tried again: ${reason}`;
  // Where Redis takes no writes at all, its watch reports that.
  if (run.isReady() && !run.closing.signal.aborted && warning !== run.warning) run.onWarning(warning);
  run.warning = warning;
}
