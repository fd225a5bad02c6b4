import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { JournalUnavailableError } from './errors.ts';
import { writeMark } from './mark.ts';
import { writeNotes, type InheritedNote } from './notes.ts';
import { holdFolder, newOwner, removeUnfinished, type OwnFolder } from './owner.ts';
import { addRange, bytesIn, recordsIn, removeRange, type Range } from './ranges.ts';
import { readRecords } from './read-records.ts';
import { decodeRecord, RECORD_HEADER_BYTES, type JournalledEvent } from './record.ts';
import {
  beginSegment,
  closeSegment,
  isEnqueued,
  isInPlace,
  noteReenqueued,
  openToRead,
  redoSince,
  removeSegment,
  SEGMENT_HEADER_BYTES,
  setAside,
  type Segment,
} from './segment.ts';
import { takeOver } from './take-over.ts';
import { createWriter } from './writer.ts';

/** A segment is closed at this size, in bytes, or at an eighth of the limit: whole segments are what can be removed. */
const SEGMENT_BYTES = 64 * 1024 * 1024;

/** A segment is closed at this age, in ms, so that those of quiet days do not outlast their time. */
const SEGMENT_MS = 15 * 60_000;

/** How often marks are written, limits looked at, and a journal that failed is tried again, in ms. */
const TICK_MS = 1000;

/** How often processes are looked for that are gone, in ms. */
const TAKE_OVER_MS = 10_000;

/** How long a part that cannot be read is left alone, in ms: the rest goes on. */
const UNREADABLE_REST_MS = 60_000;

/** What must be free before a journal that was full takes groups again, in bytes. */
const ROOM_BYTES = 64 * 1024;

const HOUR_MS = 3_600_000;

export interface JournalOptions {
  /** `JOURNAL_DIR`; several processes of one machine may share it. */
  dir: string;
  /** Of all files in it, in bytes. */
  limitBytes: number;
  retentionHours: number;
  /** After this time a write is given up, in ms: the disk hangs. */
  writeTimeoutMs?: number;
  /** Why the journal takes nothing, or what of it cannot be read; never with an event's content. */
  onError?: (error: Error) => void;
  /** It takes groups again, after `onError` told why it did not. */
  onReady?: () => void;
  /** The current time in unix ms. */
  now?: () => number;
}

/** `ready`: it takes groups. `failed`: its disk does not. `full`: what Redis does not have yet has used it up. */
export type JournalStatus = 'ready' | 'failed' | 'full';

/** A group in the journal: tell it what became of it at Redis, once. */
export interface JournalEntry {
  /** Redis has it. */
  enqueued(): void;
  /** Redis does not have it, or nobody knows: it is enqueued later. */
  failed(): void;
}

/** Groups that Redis does not have, oldest first; to be enqueued as one. */
export interface PendingGroup extends JournalEntry {
  events: JournalledEvent[];
  records: number;
}

/** What is in the journal. */
export interface JournalStats {
  status: JournalStatus;
  /** Of all its files, those of other processes in the same folder included. */
  bytes: number;
  /** Of this process, what Redis does not have yet. */
  pendingRecords: number;
  pendingBytes: number;
}

/** An append-only file of every group, that outlives this process and the loss of Redis. */
export interface Journal {
  /** Begins; resolves also when the disk does not take it, which is tried again from then on. */
  open(): Promise<void>;
  /** Resolves when the group is fsynced. @throws JournalUnavailableError */
  append(events: readonly JournalledEvent[]): Promise<JournalEntry>;
  /** Takes the oldest groups that Redis does not have; undefined when there are none. One caller at a time. */
  takePending(limit: { maxEvents: number; maxBytes: number }): Promise<PendingGroup | undefined>;
  /** Makes pending again what was enqueued at or after `sinceMs`: Redis has lost it. Resolves when that is written down. */
  redo(sinceMs: number): Promise<void>;
  /** Keeps a note, of JSON values, for whoever takes this journal over. */
  keepNote(note: unknown): void;
  /** The notes of processes that are gone; `forget` each when what it asks for is done. */
  inherited(): readonly InheritedNote[];
  forget(note: InheritedNote): void;
  status(): JournalStatus;
  stats(): JournalStats;
  /** Writes down what is known and lets the folder go. */
  close(): Promise<void>;
}

/** Makes a journal; nothing happens before `open`. */
export function createJournal(options: JournalOptions): Journal {
  const { dir, limitBytes, retentionHours, writeTimeoutMs = 5000, now = Date.now } = options;
  const owner = newOwner();
  const segmentBytes = Math.min(SEGMENT_BYTES, Math.floor(limitBytes / 8));
  let folder: OwnFolder | undefined;
  /** Oldest first; the last is the one that is written to, while the journal is ready. */
  let segments: Segment[] = [];
  let current: Segment | undefined;
  /** Their files were removed under our hands: what Redis lacks of them is still read through what we hold open. */
  let orphans: Segment[] = [];
  let beginning: Promise<void> | undefined;
  let fault: Error | undefined;
  let isFull = false;
  let begun = 0;
  let othersBytes = 0;
  let note: unknown;
  let inherited: InheritedNote[] = [];
  let areNotesStale = false;
  let reported = '';
  let lastTakeOver = -Infinity;
  const unreadable = new Map<Segment, number>();
  let ticking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const writer = createWriter({ timeoutMs: writeTimeoutMs, onFault: fail, now });

  function fail(cause: Error): void {
    current = undefined;
    writer.moveTo(undefined);
    if (fault?.message !== cause.message && !closed) {
      options.onError?.(new Error(`The journal in ${dir} takes nothing: ${cause.message}`, { cause }));
    }
    fault = cause;
  }

  /** Begins a segment, in a folder of our own; @throws what the disk says. */
  function begin(): Promise<void> {
    beginning ??= beginOnce().finally(() => (beginning = undefined));
    return beginning;
  }

  async function beginOnce(): Promise<void> {
    if (folder !== undefined && !(await exists(folder.path))) {
      await folder.release();
      folder = undefined;
      orphans = [...orphans, ...segments].filter((segment) => segment.handle !== undefined && !isEnqueued(segment));
      segments = [];
    }
    folder ??= await holdFolder(dir, owner);
    const segment = await beginSegment(folder.path, owner, now(), begun++);
    segments.push(segment);
    current = segment;
    writer.moveTo(segment);
    if (fault !== undefined) options.onReady?.();
    fault = undefined;
  }

  async function tick(): Promise<void> {
    try {
      if (current === undefined) {
        if (!writer.isBusy()) await begin();
      } else if (!(await isInPlace(current))) fail(new Error('its folder was removed or replaced'));
      else if (isToBeClosed(current)) await begin();
    } catch (error) {
      fail(errorOf(error));
    }
    // What cannot be tidied up is no reason to take no events.
    await keepHouse().catch((error: unknown) => report(errorOf(error)));
  }

  function isToBeClosed({ bytes, firstAt, records }: Segment): boolean {
    return bytes >= segmentBytes || (records > 0 && now() - firstAt >= SEGMENT_MS);
  }

  async function keepHouse(): Promise<void> {
    if (folder === undefined) return;
    if (now() - lastTakeOver >= TAKE_OVER_MS) {
      lastTakeOver = now();
      await removeUnfinished(dir, now());
      const taken = await takeOver({ journalDir: dir, folder: folder.path, owner, inherit, onError: report });
      segments = [...taken, ...segments].sort((a, b) => a.firstAt - b.firstAt);
    }
    othersBytes = await bytesOfOthers(dir, owner);
    removeSegments(isFull ? ROOM_BYTES : 0);
    await writeDown(folder.path);
  }

  async function inherit(notes: readonly InheritedNote[]): Promise<void> {
    if (folder === undefined) return;
    inherited = [...inherited, ...notes];
    await writeNotes(folder.path, { note, inherited });
  }

  /** One that repeats is told once. */
  function report(error: Error): void {
    if (error.message !== reported) options.onError?.(error);
    reported = error.message;
  }

  async function writeDown(path: string): Promise<void> {
    if (areNotesStale) {
      areNotesStale = false;
      await writeNotes(path, { note, inherited });
    }
    for (const segment of segments.filter(({ isMarkStale }) => isMarkStale)) {
      segment.isMarkStale = false;
      const pending = segment.pending.map((range) => ({ ...range }));
      for (const range of segment.held) addRange(pending, range);
      const { bytes: end, records, reenqueued } = segment;
      // oxlint-disable-next-line no-await-in-loop -- a few small files
      await writeMark(segment.path, { end, records, pending, reenqueued });
    }
    // What is enqueued is only read again when Redis loses it.
    for (const segment of segments) {
      // oxlint-disable-next-line no-await-in-loop -- a few small files
      if (segment !== current && segment.handle !== undefined && isEnqueued(segment)) await closeSegment(segment);
    }
  }

  function status(): JournalStatus {
    if (current === undefined) return 'failed';
    return isFull ? 'full' : 'ready';
  }

  function ownBytes(): number {
    return segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  function hasRoom(bytes: number): boolean {
    if (ownBytes() + othersBytes + bytes <= limitBytes && !isFull) return true;
    removeSegments(bytes);
    return !isFull;
  }

  /** Removes segments that Redis has, the oldest first: those that are too old, and as many as stand in the way of `bytes` more. */
  function removeSegments(bytes: number): void {
    const oldest = now() - retentionHours * HOUR_MS;
    let used = ownBytes() + othersBytes + bytes;
    for (const segment of segments.filter((each) => each !== current && isEnqueued(each))) {
      if (used <= limitBytes && segment.lastAt >= oldest) continue;
      used -= segment.bytes;
      segments = segments.filter((other) => other !== segment);
      void removeSegment(segment);
    }
    orphans = orphans.filter((orphan) => !isEnqueued(orphan));
    isFull = used > limitBytes;
  }

  /** Makes room for a group; the current segment may be what is in the way, and Redis has it: then another is begun. */
  async function makeRoom(bytes: number): Promise<void> {
    if (hasRoom(bytes)) return;
    if (current !== undefined && current.records > 0 && isEnqueued(current)) await begin().catch(() => undefined);
    if (!hasRoom(bytes)) {
      throw new JournalUnavailableError(
        'The journal is full of groups that Redis does not have yet (JOURNAL_LIMIT_BYTES).',
      );
    }
  }

  function runTick(): Promise<void> {
    ticking ??= tick().finally(() => (ticking = undefined));
    return ticking;
  }

  /** The oldest segment with something to enqueue, that can be read. */
  function nextPending(): Segment | undefined {
    return [...orphans, ...segments].find(
      (segment) => segment.pending.length > 0 && (unreadable.get(segment) ?? 0) <= now(),
    );
  }

  async function readPending(
    segment: Segment,
    limit: { maxEvents: number; maxBytes: number },
  ): Promise<PendingGroup | undefined> {
    const [range] = segment.pending;
    if (range === undefined) return undefined;
    segment.handle ??= await openToRead(segment.path);
    const events: JournalledEvent[] = [];
    const taken: Range = { from: range.from, to: range.from, records: 0 };
    for await (const found of readRecords(segment.handle, { from: range.from, to: range.to, seed: segment.seed })) {
      if (found.kind === 'damage') {
        if (taken.records > 0) break; // first what was read
        await putAside(segment, found);
        removeRange(segment.pending, { from: found.from, to: found.to, records: 0 });
        return undefined;
      }
      const record = decodeRecord(found.record);
      const bytes = found.to - taken.from;
      if (taken.records > 0 && (events.length + record.events.length > limit.maxEvents || bytes > limit.maxBytes))
        break;
      events.push(...record.events);
      taken.to = found.to;
      taken.records += 1;
    }
    removeRange(segment.pending, taken);
    segment.held.add(taken);
    return {
      events,
      records: taken.records,
      enqueued: () => {
        if (segment.held.has(taken)) noteReenqueued(segment, taken, now());
        settle({ segment, range: taken }, 'enqueued');
      },
      failed: () => settle({ segment, range: taken }, 'failed'),
    };
  }

  async function putAside(segment: Segment, damage: { from: number; to: number; isTail: boolean }): Promise<void> {
    // What a process was writing when it died was answered to nobody.
    if (damage.isTail && damage.to >= segment.bytes && segment !== current) {
      segment.bytes = Math.max(SEGMENT_HEADER_BYTES, damage.from);
      await segment.handle?.truncate(segment.bytes);
      return;
    }
    const path = await setAside(segment, damage);
    report(
      new Error(
        `The journal is damaged: ${damage.to - damage.from} bytes that are no record were set aside in ${path}. What follows them is enqueued.`,
      ),
    );
  }

  return {
    async open() {
      await runTick();
      if (!closed) timer = setInterval(() => void runTick(), TICK_MS).unref();
    },
    async append(events) {
      const bytes = events.reduce((sum, { body }) => sum + Buffer.byteLength(body), RECORD_HEADER_BYTES);
      await makeRoom(bytes);
      const written = await writer.write(events);
      if (written.segment === current && isToBeClosed(written.segment)) void runTick();
      return { enqueued: () => settle(written, 'enqueued'), failed: () => settle(written, 'failed') };
    },
    async takePending(limit) {
      for (let segment = nextPending(); segment !== undefined; segment = nextPending()) {
        try {
          // oxlint-disable-next-line no-await-in-loop -- damage is passed over
          const group = await readPending(segment, limit);
          if (group !== undefined) return group;
        } catch (error) {
          unreadable.set(segment, now() + UNREADABLE_REST_MS);
          report(
            new Error(
              `The journal's file ${segment.path} cannot be read; it is tried again in a minute: ${String(error)}`,
            ),
          );
        }
      }
      return undefined;
    },
    async redo(sinceMs) {
      for (const segment of [...orphans, ...segments]) redoSince(segment, sinceMs);
      await ticking;
      await runTick();
    },
    keepNote(value) {
      note = value;
      areNotesStale = true;
    },
    inherited: () => inherited,
    forget(done) {
      inherited = inherited.filter((each) => each !== done);
      areNotesStale = true;
    },
    status,
    stats: () => ({
      status: status(),
      bytes: ownBytes() + othersBytes,
      pendingRecords: [...orphans, ...segments].reduce((sum, { pending }) => sum + recordsIn(pending), 0),
      pendingBytes: [...orphans, ...segments].reduce((sum, { pending }) => sum + bytesIn(pending), 0),
    }),
    async close() {
      closed = true;
      clearInterval(timer);
      await Promise.race([
        Promise.allSettled([ticking, writer.settled()]),
        delay(writeTimeoutMs, undefined, { ref: false }),
      ]);
      writer.moveTo(undefined);
      await Promise.all(orphans.map(closeSegment));
      if (folder === undefined) return;
      await writeDown(folder.path).catch((error: unknown) => report(errorOf(error)));
      const kept = segments.filter((segment) => segment.records > 0 || !isEnqueued(segment));
      await Promise.all(
        segments.map((segment) => (kept.includes(segment) ? closeSegment(segment) : removeSegment(segment))),
      );
      if (kept.length === 0) await rm(folder.path, { recursive: true, force: true });
      await folder.release();
    },
  };
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The bytes of the files in all other folders of the journal. */
async function bytesOfOthers(dir: string, owner: string): Promise<number> {
  const folders = (await readdir(dir)).filter((name) => name !== owner);
  const sizes = await Promise.all(folders.map((name) => bytesOf(join(dir, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Files come and go meanwhile: what is gone has no size. */
async function bytesOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Notes what became of a record that was on its way to Redis; the first word counts. */
function settle({ segment, range }: { segment: Segment; range: Range }, outcome: 'enqueued' | 'failed'): void {
  if (!segment.held.delete(range)) return;
  if (outcome === 'failed') addRange(segment.pending, range);
  segment.isMarkStale = true;
}
