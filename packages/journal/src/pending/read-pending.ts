import { basename } from 'node:path';
import type { Delivery } from '@landline/webhook';
import type { Range } from '../segment/ranges.ts';
import { decodeRecord, type JournalRecord } from '../segment/record.ts';
import type { Segment } from '../segment/segment.ts';
import { entryOf, type JournalEntry } from './entry.ts';
import type { PendingPart } from './postponed.ts';

/** Groups that Redis lacks, oldest first. Catch-up enqueues them as one. */
export interface PendingGroup extends JournalEntry {
  /**
   * The name of the group: its segment and its place there. It is the same when the group is taken again, also by
   * another process, but another after a `redo`: a job of the old name may be there, and be done without effect.
   */
  id: string;
  events: Delivery[];
  records: number;
  /** The bytes of their records, before they were packed. */
  bytes: number;
  /** How often it was postponed by this process. */
  failures: number;
  /** Redis did not take the group: it stays pending, behind all other groups, and rests for longer each time. */
  postpone(): void;
}

/** The limit of one take. */
export interface PendingLimit {
  maxEvents: number;
  /** The bytes of the records, before they were packed. A larger record is taken alone. */
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
  /** How often this process has made enqueued groups pending again. */
  redos: number;
  /** Called with the range of a group that is postponed. */
  onPostponed: (range: Range) => void;
}

/**
 * Takes the first groups of a pending part of a segment, which has failed so many times.
 *
 * @returns  Undefined where it found damage or a record that it cannot decode, which it passed over: the next call goes on after it.
 * @throws   the disk's error
 */
export async function readPending(
  { segment, range, failures }: PendingPart,
  options: ReadPendingOptions,
): Promise<PendingGroup | undefined> {
  const { maxEvents, maxBytes } = options.limit;
  const events: Delivery[] = [];
  let bytes = 0;
  const taken: Range = { from: range.from, to: range.from, records: 0 };
  for await (const found of segment.read(range)) {
    if (found.kind === 'damage') {
      if (taken.records > 0) break; // the records before it first
      await passOver(segment, found, options);
      return undefined;
    }
    const record = tryToDecode(found.record);
    if (record instanceof Error) {
      if (taken.records > 0) break; // the records before it first
      passOverUndecodable(segment, found, { ...options, fault: record });
      return undefined;
    }
    const isTooMany = events.length + record.events.length > maxEvents || bytes + record.bytes > maxBytes;
    if (taken.records > 0 && isTooMany) break;
    events.push(...record.events);
    bytes += record.bytes;
    taken.to = found.to;
    taken.records += 1;
  }
  segment.take(taken);
  const entry = entryOf(segment, taken, options.now);
  return {
    id: nameOf(segment, taken, options.redos),
    events,
    records: taken.records,
    bytes,
    failures,
    ...entry,
    postpone() {
      entry.failed();
      options.onPostponed(taken);
    },
  };
}

function tryToDecode(record: Buffer): JournalRecord | Error {
  try {
    return decodeRecord(record);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The record stays pending behind all others, because another version may know it. */
function passOverUndecodable(
  segment: Segment,
  { from, to }: { from: number; to: number },
  { fault, onError, onPostponed }: ReadPendingOptions & { fault: Error },
): void {
  onPostponed({ from, to, records: 1 });
  onError(
    new Error(
      `This version cannot read a record of the journal: ${segment.path()}, bytes ${from} to ${to} (${fault.message}). It stays there and is tried again. What follows it is enqueued.`,
    ),
  );
}

function nameOf(segment: Segment, { from, to }: Range, redos: number): string {
  const name = `${basename(segment.path(), '.log')}-${from}-${to}`;
  return redos === 0 ? name : `${name}-redo${redos}`;
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
