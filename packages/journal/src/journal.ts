import type { Delivery } from '@landline/webhook';
import { inTime } from './in-time.ts';
import type { JournalOptions } from './journal-options.ts';
import { createParts, writeDown, type Parts } from './journal-parts.ts';
import { entryOf, type JournalEntry } from './pending/entry.ts';
import type { PendingGroup, PendingLimit } from './pending/read-pending.ts';
import { bytesIn, recordsIn } from './segment/ranges.ts';
import { beginRecord } from './segment/record.ts';
import type { InheritedNote } from './takeover/notes.ts';
import { removeFolder } from './takeover/remove-folder.ts';

/** `ready`: the journal takes groups. `failed`: its disk takes none. `full`: groups that Redis lacks have used up the limit. */
export type JournalStatus = 'ready' | 'failed' | 'full';

/** What is in the journal. */
export interface JournalStats {
  status: JournalStatus;
  /** Of all files in its folder, whatever process they are of. */
  bytes: number;
  /** Of this process: what Redis does not have yet. */
  pendingRecords: number;
  pendingBytes: number;
  /** Of processes that are gone: what Redis does not have and this process could not take over. */
  unheldPendingBytes: number;
  /** Of the disk; undefined before it was looked at. */
  diskFreeBytes: number | undefined;
}

/** Append-only files of every group. They outlive this process and a loss of Redis. */
export interface Journal {
  /** Begins the journal. It resolves also when the disk fails; the journal tries again each second from then on. */
  open(): Promise<void>;
  /** Resolves when the group is fsynced. @throws JournalUnavailableError */
  append(events: readonly Delivery[]): Promise<JournalEntry>;
  /** Takes the oldest groups that Redis does not have; undefined when there are none. One caller at a time. */
  takePending(limit: PendingLimit): Promise<PendingGroup | undefined>;
  /**
   * Makes pending again what was enqueued at or after `sinceMs`, by `owner` or by anybody: Redis has lost it. Resolves when that is
   * written down, or the disk does not take it: then it is tried at every tick, and the notes on the disk are those of before.
   */
  redo(sinceMs: number, owner?: string): Promise<void>;
  /** When the oldest group that is there was journalled, in unix ms; undefined where there is none. */
  oldestAt(): number | undefined;
  /** Keeps a note, of JSON values, for whoever takes this journal over. */
  keepNote(note: unknown): void;
  /** The notes of processes that are gone; `forget` each when what it asks for is done. */
  inherited(): readonly InheritedNote[];
  forget(note: InheritedNote): void;
  status(): JournalStatus;
  stats(): JournalStats;
  /** The time that records bear, in unix ms; it never goes back. What `redo` is given must be of this clock. */
  now(): number;
  /** Writes down what is known and lets the folder go. `stats` then tells what is left for whoever takes over. */
  close(): Promise<void>;
}

/** Makes a journal; nothing happens before `open`. */
export function createJournal(options: JournalOptions): Journal {
  const parts = createParts(options);
  const { clock, segments, notes } = parts;
  return {
    open: () => open(parts),
    append: (events) => append(parts, events),
    takePending: parts.takePending,
    redo: (sinceMs, owner) => redo(parts, sinceMs, owner),
    oldestAt: () => segments.all()[0]?.facts.firstAt,
    keepNote: (note) => notes.keep(note),
    inherited: () => notes.inherited(),
    forget: (note) => notes.forget(note),
    status: () => statusOf(parts),
    stats: () => statsOf(parts),
    now: () => clock.now(),
    close: () => close(parts),
  };
}

async function open({ current, tick, writeTimeoutMs }: Parts): Promise<void> {
  await inTime(tick.run(), writeTimeoutMs);
  if (current.get() === undefined && !current.hasFailed()) {
    current.fail(new Error(`the disk did not answer within ${writeTimeoutMs} ms`));
  }
  tick.start();
}

async function append({ room, current }: Parts, events: readonly Delivery[]): Promise<JournalEntry> {
  const record = beginRecord(events);
  await room.take(record.length);
  try {
    const { segment, range } = await current.writer.write(record);
    // At once: a tick may be under way, and the file would grow until it ends.
    current.closeIfDue(segment);
    return entryOf(segment, range);
  } finally {
    room.giveBack(record.length);
  }
}

async function redo({ segments, clock, tick }: Parts, sinceMs: number, owner?: string): Promise<void> {
  for (const segment of segments.all()) {
    const { owners } = segment.facts;
    // Other processes have written theirs by a clock that may be behind ours.
    const isOurs = owners.length === 1;
    if (owner === undefined) segment.redoSince(isOurs ? sinceMs : sinceMs - clock.lead());
    else if (owners.includes(owner)) segment.redoSince(sinceMs);
  }
  // A tick that is under way may have written the marks already.
  await tick.runAnew();
}

function statusOf({ current, room }: Parts): JournalStatus {
  if (current.get() === undefined) return 'failed';
  return room.isFull() ? 'full' : 'ready';
}

function statsOf(parts: Parts): JournalStats {
  const pending = parts.segments.all().map((segment) => segment.pending());
  return {
    status: statusOf(parts),
    bytes: parts.room.usedBytes(),
    pendingRecords: pending.reduce((sum, ranges) => sum + recordsIn(ranges), 0),
    pendingBytes: pending.reduce((sum, ranges) => sum + bytesIn(ranges), 0),
    unheldPendingBytes: parts.watch.unheldBytes(),
    diskFreeBytes: parts.pressure.freeBytes(),
  };
}

async function close(parts: Parts): Promise<void> {
  const { tick, current, segments, writeTimeoutMs, report } = parts;
  current.leave();
  tick.stop();
  await inTime(Promise.allSettled([tick.settled(), current.settled()]), writeTimeoutMs);
  current.writer.moveTo(undefined);
  segments.all().forEach((segment) => segment.giveUpHeld());
  const folder = current.folder();
  if (folder !== undefined) await writeDown(parts, folder.path).catch(report);
  await segments.close();
  if (folder === undefined) return;
  await removeFolder(folder.path).catch(report);
  await folder.release();
}
