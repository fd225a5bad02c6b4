import { noCounts, type Counts, type MinuteActivity } from './activity-counts.ts';
import { MINUTE_KEPT_MS, MINUTE_MS, startOf } from './activity-keys.ts';

/** A minute that ended longer ago than this changes only where Redis was away, in ms. */
const SETTLED_AFTER_MS = 300_000;

/** For so long a settled minute is not read again, in ms: a console that asks each second must not read a whole day each second. */
const STANDS_MS = 30_000;

/** How many minutes are read at once: a whole day at once could take a busy process longer than Redis may take to answer. */
const READ_AT_ONCE = 240;

/** Reads minutes. */
export interface MinuteReader {
  /** See `Activity.minutes`. Rejects as the reading does. */
  read(from: number, to: number): Promise<MinuteActivity[]>;
}

/** Makes a reader that remembers minutes which are settled. `readMinutes` gets their starts, `now` returns unix ms, and `elapsed` ms since any moment. */
export function createMinuteReader(
  readMinutes: (starts: readonly number[]) => Promise<Counts[]>,
  now: () => number,
  elapsed: () => number = () => performance.now(),
): MinuteReader {
  const known = new Map<number, { readAt: number; minute: MinuteActivity }>();

  function isKnown(at: number): boolean {
    const readAt = known.get(at)?.readAt ?? -Infinity;
    return at + MINUTE_MS + SETTLED_AFTER_MS < now() && elapsed() - readAt < STANDS_MS;
  }

  async function readPart(starts: readonly number[]): Promise<void> {
    const counts = await readMinutes(starts);
    const readAt = elapsed();
    for (const [i, at] of starts.entries()) known.set(at, { readAt, minute: { at, ...(counts[i] ?? noCounts()) } });
  }

  return {
    async read(from: number, to: number): Promise<MinuteActivity[]> {
      const oldest = startOf(now() - MINUTE_KEPT_MS, MINUTE_MS);
      for (const at of known.keys()) if (at < oldest) known.delete(at);
      const starts = startsBetween(Math.max(from, oldest), Math.min(to, now() + MINUTE_MS));
      const unknown = starts.filter((at) => !isKnown(at));
      for (let i = 0; i < unknown.length; i += READ_AT_ONCE) {
        // oxlint-disable-next-line no-await-in-loop -- one part after the other
        await readPart(unknown.slice(i, i + READ_AT_ONCE));
      }
      return starts.flatMap((at) => known.get(at)?.minute ?? []);
    },
  };
}

function startsBetween(from: number, to: number): number[] {
  const first = startOf(from, MINUTE_MS);
  return Array.from({ length: Math.max(0, Math.ceil((to - first) / MINUTE_MS)) }, (_, i) => first + i * MINUTE_MS);
}
