import type { Delivery } from '@landline/webhook';
import type { Range } from '../segment/ranges.ts';
import { decodeRecord } from '../segment/record.ts';
import type { Segment } from '../segment/segment.ts';
import { entryOf, type JournalEntry } from './entry.ts';

/** Groups that Redis does not have, oldest first; to be enqueued as one. */
export interface PendingGroup extends JournalEntry {
  events: Delivery[];
  records: number;
  /** In the journal. */
  bytes: number;
}

/** How much is taken at once. */
export interface PendingLimit {
  maxEvents: number;
  /** Of records; a larger one is taken alone. */
  maxBytes: number;
}

/** How pending groups are read. */
export interface ReadPendingOptions {
  limit: PendingLimit;
  /** Whether this process still writes to the segment. */
  isCurrent: boolean;
  /** Is told of damage, with the file that keeps it. */
  onError: (error: Error) => void;
  /** See `Clock`. */
  now: () => number;
}

/**
 * Takes the first groups that are pending in a segment.
 *
 * @returns  Undefined where it found damage, which it passed over: the next call goes on behind it.
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
  // A record that a process was writing when it died was answered to nobody.
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
