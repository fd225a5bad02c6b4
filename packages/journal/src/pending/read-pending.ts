import type { Delivery } from '@landline/webhook';
import type { Range } from '../segment/ranges.ts';
import { decodeRecord } from '../segment/record.ts';
import type { Segment } from '../segment/segment.ts';
import { entryOf, type JournalEntry } from './entry.ts';

/** Groups that Redis lacks, oldest first. Catch-up enqueues them as one. */
export interface PendingGroup extends JournalEntry {
  events: Delivery[];
  records: number;
  /** Their bytes in the journal. */
  bytes: number;
}

/** The limit of one take. */
export interface PendingLimit {
  maxEvents: number;
  /** The bytes of the records. A larger record is taken alone. */
  maxBytes: number;
}

/** The options of a read of pending groups. */
export interface ReadPendingOptions {
  limit: PendingLimit;
  /** Whether this process still writes to the segment. */
  isCurrent: boolean;
  /** Called with damage, and the file that keeps the damaged bytes. */
  onError: (error: Error) => void;
  /** See `Clock`. */
  now: () => number;
}

/**
 * Takes the first pending groups of a segment.
 *
 * @returns  Undefined where it found damage, which it skipped: the next call goes on after it.
 * @throws   the disk's error
 */
export async function readPending(segment: Segment, options: ReadPendingOptions): Promise<PendingGroup | undefined> {
  const [range] = segment.pending();
  if (range === undefined) return undefined;
  const { maxEvents, maxBytes } = options.limit;
  const events: Delivery[] = [];
  const taken: Range = { from: range.from, to: range.from, records: 0 };
  for await (const found of segment.read(range)) {
    if (found.kind === 'damage') {
      if (taken.records > 0) break; // the records before it first
      await passOver(segment, found, options);
      return undefined;
    }
    const record = decodeRecord(found.record);
    const isTooMany = events.length + record.events.length > maxEvents || found.to - taken.from > maxBytes;
    if (taken.records > 0 && isTooMany) break;
    events.push(...record.events);
    taken.to = found.to;
    taken.records += 1;
  }
  segment.take(taken);
  return {
    events,
    records: taken.records,
    bytes: taken.to - taken.from,
    ...entryOf(segment, taken, options.now),
  };
}

async function passOver(
  segment: Segment,
  damage: { from: number; to: number; isTorn: boolean },
  { isCurrent, onError }: ReadPendingOptions,
): Promise<void> {
  const { from, to, isTorn } = damage;
  const { provenBytes, bytes } = segment.facts;
  // A process died while it wrote this record, so no sender has a 200 for it.
  if (isTorn && from >= provenBytes && to >= bytes && !isCurrent) await segment.cutAt(from);
  else {
    const path = await segment.copyAside(damage);
    onError(
      new Error(
        `The journal is damaged: ${to - from} bytes that are no record were set aside in ${path}. What follows them is enqueued.`,
      ),
    );
  }
  segment.skip(damage);
}
