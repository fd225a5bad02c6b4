import type { Delivery } from '@landline/webhook';
import type { PackedEvents } from '@landline/webhook/packed-events';
import { inTime } from './in-time.ts';
import type { JournalOptions } from './journal-options.ts';
import { createParts, writeDown, type Parts } from './journal-parts.ts';
import { entryOf, type JournalEntry } from './pending/entry.ts';
import type { PendingGroup, PendingLimit } from './pending/read-pending.ts';
import { bytesIn, recordsIn } from './segment/ranges.ts';
import { beginRecord } from './segment/record.ts';
import type { InheritedNote } from './takeover/notes.ts';
import { removeFolder } from './takeover/remove-folder.ts';

/**
 * The journal's status.
 *
 * - `ready`: the journal takes groups.
 * - `failed`: its disk takes none.
 * - `full`: groups that Redis lacks use up the limit.
 */
export type JournalStatus = 'ready' | 'failed' | 'full';

/** The contents of a journal. */
export interface JournalStats {
  status: JournalStatus;
  /** The bytes of all files in the folder, of all processes. */
  bytes: number;
  /** The records of this process that Redis lacks. */
  pendingRecords: number;
  pendingBytes: number;
  /** The bytes that processes left when they ended, that Redis lacks, and that this process could not take over. */
  unheldPendingBytes: number;
  /** The free bytes of the disk; undefined before the first measurement. */
  diskFreeBytes: number | undefined;
}

/** The append-only files of every group. They outlive this process and a loss of Redis. */
export interface Journal {
  /** Opens the journal. Resolves also when the disk fails; from then on the journal tries again each second. */
  open(): Promise<void>;
  /** Writes a group; `packed` are the same events, where the caller has packed them. Resolves when the group is fsynced. @throws JournalUnavailableError */
  append(events: readonly Delivery[], packed?: PackedEvents): Promise<JournalEntry>;
  /**
   * Takes the oldest groups that Redis lacks; undefined where there are none. Postponed groups come last, and not
   * before their pause is over. Must not be called again before it resolves.
   */
  takePending(limit: PendingLimit): Promise<PendingGroup | undefined>;
  /**
   * Makes pending again what was enqueued at or after `sinceMs`, by `owner` or by any process, because Redis has lost
   * it.
   *
   * Resolves when the marks are on the disk, or when the disk refuses them. Then each tick tries again, and the notes
   * on the disk stay as they were.
   */
  redo(sinceMs: number, owner?: string): Promise<void>;
  /** The time of the oldest group in the journal, in unix ms; undefined where there is none. */
  oldestAt(): number | undefined;
  /** Keeps a note, of JSON values, for the process that takes this journal over. */
  keepNote(note: unknown): void;
  /** The notes of processes that have ended. The caller calls `forget` with each one whose request is done. */
  inherited(): readonly InheritedNote[];
  forget(note: InheritedNote): void;
  status(): JournalStatus;
  stats(): JournalStats;
  /**
   * The time that records carry, in unix ms. It never goes back. The argument of `redo` must be a time of this clock.
   */
  now(): number;
  /**
   * Writes the marks and releases the folder. Afterwards `stats` returns what is left for the process that takes over.
   */
  close(): Promise<void>;
}

/** Makes a journal. It touches no disk before `open`. */
export function createJournal(options: JournalOptions): Journal {
  const parts = createParts(options);
  const { clock, segments, notes } = parts;
  return {
    open: () => open(parts),
    append: (events, packed) => append(parts, events, packed),
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

async function append(
  { room, current }: Parts,
  events: readonly Delivery[],
  packed?: PackedEvents,
): Promise<JournalEntry> {
  const record = beginRecord(events, packed);
  await room.reserve(record.length);
  try {
    const { segment, range } = await current.writer.write(record);
    // Now, because the file would grow until the tick under way ends.
    current.closeIfDue(segment);
    return entryOf(segment, range);
  } finally {
    room.release(record.length);
  }
}

async function redo({ segments, clock, tick, redos }: Parts, sinceMs: number, owner?: string): Promise<void> {
  redos.count += 1;
  for (const segment of segments.all()) {
    const { owners } = segment.facts;
    // Another process wrote its records by a clock that may be behind ours.
    const isOurs = owners.length === 1;
    if (owner === undefined) segment.redoSince(isOurs ? sinceMs : sinceMs - clock.lead());
    else if (owners.includes(owner)) segment.redoSince(sinceMs);
  }
  // A tick that is under way may already have written the marks.
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
  current.stop();
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
