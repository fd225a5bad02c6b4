import { entryOf, type JournalEntry } from './entry.ts';
import { removeRange, type Range } from './ranges.ts';
import { readRecords } from './read-records.ts';
import { decodeRecord, type JournalledEvent } from './record.ts';
import { noteReenqueued, openToRead, SEGMENT_HEADER_BYTES, setAside, type Segment } from './segment.ts';

/** Groups that Redis does not have, oldest first; to be enqueued as one. */
export interface PendingGroup extends JournalEntry {
  events: JournalledEvent[];
  records: number;
  /** In the journal. */
  bytes: number;
}

export interface ReadPendingOptions {
  maxEvents: number;
  /** Of records; a larger one is taken alone. */
  maxBytes: number;
  /** Whether this process still writes to the segment. */
  isCurrent: boolean;
  onError: (error: Error) => void;
  /** See `Clock`. */
  now: () => number;
}

/** Takes the first groups that are pending in a segment; undefined where there is damage, which is passed over. @throws what the disk says */
export async function readPending(segment: Segment, options: ReadPendingOptions): Promise<PendingGroup | undefined> {
  const [range] = segment.pending;
  if (range === undefined) return undefined;
  segment.handle ??= await openToRead(segment.path);
  const events: JournalledEvent[] = [];
  const taken: Range = { from: range.from, to: range.from, records: 0 };
  for await (const found of readRecords(segment.handle, { from: range.from, to: range.to, seed: segment.seed })) {
    if (found.kind === 'damage') {
      if (taken.records > 0) break; // first what was read
      await putAside(segment, found, options);
      removeRange(segment.pending, { from: found.from, to: found.to, records: 0 });
      return undefined;
    }
    const record = decodeRecord(found.record);
    const isTooMany = events.length + record.events.length > options.maxEvents;
    if (taken.records > 0 && (isTooMany || found.to - taken.from > options.maxBytes)) break;
    events.push(...record.events);
    taken.to = found.to;
    taken.records += 1;
  }
  removeRange(segment.pending, taken);
  segment.held.add(taken);
  return {
    events,
    records: taken.records,
    bytes: taken.to - taken.from,
    ...entryOf(segment, taken, () => noteReenqueued(segment, taken, options.now())),
  };
}

async function putAside(
  segment: Segment,
  { from, to, isTorn }: { from: number; to: number; isTorn: boolean },
  { isCurrent, onError }: Pick<ReadPendingOptions, 'isCurrent' | 'onError'>,
): Promise<void> {
  segment.isMarkStale = true;
  // What a process was writing when it died was answered to nobody.
  if (isTorn && from >= segment.provenBytes && to >= segment.bytes && !isCurrent) {
    segment.bytes = Math.max(SEGMENT_HEADER_BYTES, from);
    await segment.handle?.truncate(segment.bytes);
    return;
  }
  const path = await setAside(segment, { from, to });
  onError(
    new Error(
      `The journal is damaged: ${to - from} bytes that are no record were set aside in ${path}. What follows them is enqueued.`,
    ),
  );
}
