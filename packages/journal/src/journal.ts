import { readdir, rm, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { entryOf, type JournalEntry } from './entry.ts';
import { isOutOfSpace, JournalUnavailableError } from './errors.ts';
import { bytesInFolders } from './folder-size.ts';
import { writeNotes, type InheritedNote } from './notes.ts';
import { holdFolder, removeUnfinished, type OwnFolder } from './owner.ts';
import { bytesIn, recordsIn } from './ranges.ts';
import { readPending, type PendingGroup } from './read-pending.ts';
import { RECORD_HEADER_BYTES, type JournalledEvent } from './record.ts';
import { beginSegment, holdsSomething, isEnqueued, isInPlace, redoSince, type Segment } from './segment.ts';
import { createSegmentList } from './segment-list.ts';
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

/** An error that repeats is told again after so long, in ms. */
const TELL_AGAIN_MS = 3_600_000;

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

/** What is in the journal. */
export interface JournalStats {
  status: JournalStatus;
  /** Of all files in its folder, whatever process they are of. */
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
  /** Writes down what is known and lets the folder go. */
  close(): Promise<void>;
}

/** Makes a journal; nothing happens before `open`. */
export function createJournal(options: JournalOptions): Journal {
  const { dir, limitBytes, writeTimeoutMs = 5000, now = Date.now } = options;
  const segmentBytes = Math.min(SEGMENT_BYTES, Math.floor(limitBytes / 8));
  let folder: OwnFolder | undefined;
  const segments = createSegmentList({ ...options, now });
  /** The one that is written to; undefined while the journal takes nothing. */
  let current: Segment | undefined;
  let beginning: Promise<void> | undefined;
  let fault: Error | undefined;
  /** Of what the journal may take, nothing is left. */
  let isFull = false;
  /** Of the disk. */
  let isDiskFull = false;
  let begun = 0;
  /** Of files that are no segments of this process. */
  let otherBytes = 0;
  let note: unknown;
  let inherited: InheritedNote[] = [];
  let areNotesStale = false;
  /** What was told, and when. */
  const told = new Map<string, number>();
  let lastTakeOver = -Infinity;
  const unreadable = new Map<Segment, number>();
  let ticking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const writer = createWriter({ timeoutMs: writeTimeoutMs, onFault: fail, now });

  function fail(cause: Error): void {
    current = undefined;
    writer.moveTo(undefined);
    isDiskFull = isOutOfSpace(cause);
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
    if (folder !== undefined && (await isGone(folder.path))) {
      await folder.release();
      folder = undefined;
      segments.orphan();
    }
    await freeFullDisk();
    folder ??= await holdFolder(dir);
    const segment = await beginSegment(folder.path, folder.owner, now(), begun++);
    // It may have filled up meanwhile, and up to the moment when this one is written to.
    while (isDiskFull) await freeFullDisk();
    segments.add(segment);
    current = segment;
    writer.moveTo(segment);
    if (fault !== undefined) options.onReady?.();
    fault = undefined;
  }

  /** What Redis has gives way, as much as a segment may take. */
  async function freeFullDisk(): Promise<void> {
    if (!isDiskFull) return;
    // Before the wait: what fills up meanwhile is another time.
    isDiskFull = false;
    await segments.free(segmentBytes);
  }

  async function tick(): Promise<void> {
    try {
      await lookAtCurrent(current);
    } catch (error) {
      fail(errorOf(error));
    }
    // What cannot be tidied up is no reason to take no events.
    await keepHouse().catch((error: unknown) => report(errorOf(error)));
  }

  async function lookAtCurrent(segment: Segment | undefined): Promise<void> {
    if (segment === undefined) {
      if (!writer.isBusy()) await begin();
    } else if (!(await isInPlace(segment))) {
      // Another may have been begun meanwhile, and this one removed.
      if (segment === current) fail(new Error('its folder was removed or replaced'));
    } else if (isToBeClosed(segment)) await begin();
  }

  function isToBeClosed({ bytes, firstAt, records }: Segment): boolean {
    return bytes >= segmentBytes || (records > 0 && now() - firstAt >= SEGMENT_MS);
  }

  async function keepHouse(): Promise<void> {
    if (folder === undefined) return;
    if (now() - lastTakeOver >= TAKE_OVER_MS) {
      await removeUnfinished(dir, now());
      await takeOverTo(folder);
      lastTakeOver = now();
    }
    otherBytes = Math.max(0, (await bytesInFolders(dir)) - segments.bytes());
    makeRoomFor(isFull ? ROOM_BYTES : 0);
    await writeDown(folder.path);
  }

  /** What came is shown when all of it has come: a note asks for something to be done with its segments. */
  async function takeOverTo(own: OwnFolder): Promise<void> {
    const arriving: InheritedNote[] = [];
    try {
      await takeOver({
        journalDir: dir,
        folder: own,
        inherit: async (notes) => {
          arriving.push(...notes);
          await writeNotes(own.path, { note, inherited: [...inherited, ...arriving] });
        },
        adopt: (segment) => {
          // Not twice, also before it is counted anew.
          otherBytes = Math.max(0, otherBytes - segment.bytes);
          segments.add(segment);
        },
        onError: report,
      });
    } finally {
      inherited = [...inherited, ...arriving];
    }
  }

  /** One that repeats is told once an hour. */
  function report(error: Error): void {
    const at = now();
    for (const [message, toldAt] of told) if (at - toldAt >= TELL_AGAIN_MS) told.delete(message);
    if (told.has(error.message)) return;
    told.set(error.message, at);
    options.onError?.(error);
  }

  /** The notes last: until the marks are on the disk, whoever takes over must see the notes that ask for them. */
  async function writeDown(path: string): Promise<void> {
    await segments.writeMarks();
    if (areNotesStale) {
      areNotesStale = false;
      await writeNotes(path, { note, inherited }).catch((error: unknown) => {
        areNotesStale = true;
        throw error;
      });
    }
    await segments.closeIdle(current);
  }

  function status(): JournalStatus {
    if (current === undefined) return 'failed';
    return isFull ? 'full' : 'ready';
  }

  function makeRoomFor(bytes: number): boolean {
    isFull = !segments.makeRoom(bytes, { otherBytes, current });
    return !isFull;
  }

  function hasRoom(bytes: number): boolean {
    return (!isFull && segments.bytes() + otherBytes + bytes <= limitBytes) || makeRoomFor(bytes);
  }

  /** Makes room for a group; the current segment may be what is in the way, and Redis has it: then another is begun. */
  async function makeRoom(bytes: number): Promise<void> {
    if (hasRoom(bytes)) return;
    if (current !== undefined && current.records > 0 && isEnqueued(current)) {
      await inTime(begin().catch(() => undefined));
    }
    if (!hasRoom(bytes)) {
      throw new JournalUnavailableError(
        'The journal is full of groups that Redis does not have yet (JOURNAL_LIMIT_BYTES).',
      );
    }
  }

  /** Waits for the disk, but not for ever: it may hang. */
  async function inTime(work: Promise<unknown>): Promise<void> {
    await Promise.race([work, delay(writeTimeoutMs, undefined, { ref: false })]);
  }

  function runTick(): Promise<void> {
    ticking ??= tick().finally(() => (ticking = undefined));
    return ticking;
  }

  /** The oldest segment with something to enqueue, that can be read. */
  function nextPending(): Segment | undefined {
    return segments.all().find((segment) => segment.pending.length > 0 && (unreadable.get(segment) ?? 0) <= now());
  }

  return {
    async open() {
      const looked = runTick();
      await inTime(looked);
      if (current === undefined && fault === undefined)
        fail(new Error(`the disk did not answer within ${writeTimeoutMs} ms`));
      if (!closed) timer = setInterval(() => void runTick(), TICK_MS).unref();
    },
    async append(events) {
      const bytes = events.reduce((sum, { body }) => sum + Buffer.byteLength(body), RECORD_HEADER_BYTES);
      await makeRoom(bytes);
      const { segment, range } = await writer.write(events);
      if (segment === current && isToBeClosed(segment)) void runTick();
      return entryOf(segment, range);
    },
    async takePending(limit) {
      for (let segment = nextPending(); segment !== undefined; segment = nextPending()) {
        try {
          // oxlint-disable-next-line no-await-in-loop -- damage is passed over
          const group = await readPending(segment, {
            ...limit,
            isCurrent: segment === current,
            onError: report,
            now,
          });
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
    async redo(sinceMs, owner) {
      for (const segment of segments.all()) {
        if (owner === undefined || segment.owners.includes(owner)) redoSince(segment, sinceMs);
      }
      // One that is under way may have written the marks already.
      await ticking;
      await runTick();
    },
    oldestAt: () => segments.all()[0]?.firstAt,
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
      bytes: segments.bytes() + otherBytes,
      pendingRecords: segments.all().reduce((sum, { pending }) => sum + recordsIn(pending), 0),
      pendingBytes: segments.all().reduce((sum, { pending }) => sum + bytesIn(pending), 0),
    }),
    async close() {
      closed = true;
      clearInterval(timer);
      await inTime(Promise.allSettled([ticking, writer.settled()]));
      writer.moveTo(undefined);
      if (folder !== undefined) await writeDown(folder.path).catch((error: unknown) => report(errorOf(error)));
      await segments.close();
      if (folder === undefined) return;
      const names = await readdir(folder.path).catch(() => []);
      if (!holdsSomething(names)) await rm(folder.path, { recursive: true, force: true });
      await folder.release();
    },
  };
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** What cannot be looked at is not gone. */
async function isGone(path: string): Promise<boolean> {
  try {
    await stat(path);
    return false;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return true;
    throw error;
  }
}
