import { stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createOthersAsker } from './ask-others.ts';
import { createClock } from './clock.ts';
import type { DiskSpace } from './disk-space.ts';
import { entryOf, type JournalEntry } from './entry.ts';
import { isOutOfSpace, JournalUnavailableError } from './errors.ts';
import { isMissing } from './files.ts';
import { bytesInFolders } from './folder-size.ts';
import { writeNotes, type InheritedNote } from './notes.ts';
import { holdFolder, removeUnfinished, type OwnFolder } from './owner.ts';
import { createPressure } from './pressure.ts';
import { bytesIn, recordsIn } from './ranges.ts';
import { readPending, type PendingGroup } from './read-pending.ts';
import { beginRecord, type JournalledEvent } from './record.ts';
import { removeFolder } from './remove-folder.ts';
import { answerRoomRequest } from './room-request.ts';
import { beginSegment, giveUpHeld, isEnqueued, isInPlace, redoSince, type Segment } from './segment.ts';
import { createSegmentList } from './segment-list.ts';
import { takeOver } from './take-over.ts';
import { unheldPendingBytes } from './unheld.ts';
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
  /** The system's clock, in unix ms. */
  now?: () => number;
  /** Ms since some moment, whatever the system's clock does. */
  elapsed?: () => number;
  /** Tells what the disk that `dir` is on has room for. */
  diskSpace?: (path: string) => Promise<DiskSpace>;
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
  /** Of processes that are gone, what Redis does not have and this process could not take over. */
  unheldPendingBytes: number;
  /** Of the disk; undefined before it was looked at. */
  diskFreeBytes: number | undefined;
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
  /** The time that records bear, in unix ms; it never goes back. What `redo` is given must be of this clock. */
  now(): number;
  /** Writes down what is known and lets the folder go. `stats` then tells what is left for whoever takes over. */
  close(): Promise<void>;
}

/** Makes a journal; nothing happens before `open`. */
export function createJournal(options: JournalOptions): Journal {
  const { dir, limitBytes, writeTimeoutMs = 5000, now, elapsed, diskSpace } = options;
  const clock = createClock({ ...(now && { wall: now }), ...(elapsed && { elapsed }) });
  const segmentBytes = Math.min(SEGMENT_BYTES, Math.floor(limitBytes / 8));
  let folder: OwnFolder | undefined;
  const segments = createSegmentList({ ...options, clock, onError: report });
  const pressure = createPressure({ dir, limitBytes, ...(diskSpace && { diskSpace }), onLow: report });
  const others = createOthersAsker({ dir, clock, measure: lookAtOthers });
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
  /** Of groups that are being written: they have their room already. */
  let underWayBytes = 0;
  let unheldBytes = 0;
  const unfinished = new Map<string, number>();
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

  const writer = createWriter({ timeoutMs: writeTimeoutMs, onFault: fail, clock });

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
    folder ??= await holdFolder(dir, serve);
    const segment = await beginSegment(folder.path, folder.owner, clock.now(), begun++);
    // It may have filled up meanwhile, and up to the moment when this one is written to.
    while (isDiskFull) await freeFullDisk();
    segments.add(segment);
    current = segment;
    writer.moveTo(segment);
    if (fault !== undefined) options.onReady?.();
    fault = undefined;
  }

  function serve(socket: Socket): void {
    answerRoomRequest(socket, (bytes) => freeForOthers(bytes).catch(reportThrown));
  }

  /** Another process of the folder has no room: what Redis has gives way, that of the file in use at last. */
  async function freeForOthers(bytes: number): Promise<void> {
    const freed = await segments.free(bytes, current);
    if (freed >= bytes || closed || !isCurrentInTheWay()) return;
    await begin();
    await segments.free(bytes - freed, current);
  }

  /** What Redis has gives way, as much as a segment may take. */
  async function freeFullDisk(): Promise<void> {
    if (!isDiskFull) return;
    // Before the wait: what fills up meanwhile is another time.
    isDiskFull = false;
    await segments.free(segmentBytes);
  }

  function failWith(thrown: unknown): void {
    fail(errorOf(thrown));
  }

  async function tick(): Promise<void> {
    await lookAtCurrent(current).catch(failWith);
    // What cannot be tidied up is no reason to take no events.
    await keepHouse().catch(reportThrown);
  }

  async function lookAtCurrent(segment: Segment | undefined): Promise<void> {
    if (segment === undefined) {
      if (!writer.isBusy()) await begin();
    } else if (!(await isInPlace(segment))) {
      // Another may have been begun meanwhile, and this one removed.
      if (segment === current) fail(new Error('its folder was removed or replaced'));
    } else if (isToBeClosed(segment)) await begin();
  }

  function isToBeClosed(segment: Segment): boolean {
    const { bytes, begunAt, records } = segment;
    return bytes >= segmentBytes || (records > 0 && clock.elapsed() - begunAt >= SEGMENT_MS) || isTooLarge(segment);
  }

  /** Only a file that was closed can be removed: while room is short it is closed earlier. What Redis lacks stays in any case. */
  function isTooLarge({ bytes, pending }: Segment): boolean {
    return bytes >= segmentBytes / 8 && pending.length === 0 && segments.bytes() + otherBytes > pressure.downTo();
  }

  function isCurrentInTheWay(): boolean {
    return current !== undefined && current.records > 0 && isEnqueued(current);
  }

  async function keepHouse(): Promise<void> {
    if (folder === undefined) return;
    if (clock.elapsed() - lastTakeOver >= TAKE_OVER_MS) {
      await removeUnfinished(dir, unfinished, clock.elapsed()).catch(reportThrown);
      await lookForTheGone(folder).catch(reportThrown);
    }
    await lookAtOthers().catch(reportThrown);
    await pressure.look().catch(reportThrown);
    makeRoomFor(isFull ? ROOM_BYTES : 0, pressure.downTo());
    await writeDown(folder.path);
  }

  async function lookForTheGone(own: OwnFolder): Promise<void> {
    await takeOverTo(own);
    unheldBytes = await unheldPendingBytes(dir, own.owner);
    lastTakeOver = clock.elapsed();
  }

  async function lookAtOthers(): Promise<void> {
    otherBytes = Math.max(0, (await bytesInFolders(dir)) - segments.bytes());
  }

  /** What came is shown when all of it has come: a note asks for something to be done with its segments. */
  async function takeOverTo(own: OwnFolder): Promise<void> {
    const arriving: InheritedNote[] = [];
    try {
      await takeOver({
        journalDir: dir,
        folder: own,
        inherit: async (notes) => {
          // One may lie in two folders, or in one that could not be taken over before.
          for (const each of notes)
            if (![...inherited, ...arriving].some((known) => isSame(known, each))) arriving.push(each);
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

  function reportThrown(thrown: unknown): void {
    report(errorOf(thrown));
  }

  /** One that repeats is told once an hour. */
  function report(error: Error): void {
    const at = clock.elapsed();
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

  function makeRoomFor(bytes: number, downTo = limitBytes): boolean {
    // Until its note is seen to nobody knows whether Redis has what was taken over, and age is no reason to remove it.
    const keepsOld = inherited.length > 0;
    isFull = !segments.makeRoom(bytes + underWayBytes, { otherBytes, current, keepsOld, downTo });
    return !isFull;
  }

  /** Takes room for a group where there is some: from here on it counts. */
  function takeRoom(bytes: number): boolean {
    const used = segments.bytes() + otherBytes + underWayBytes;
    const hasRoom = (!isFull && used + bytes <= limitBytes) || makeRoomFor(bytes);
    if (hasRoom) underWayBytes += bytes;
    return hasRoom;
  }

  /** Makes room for a group. What Redis has may be in the way: in the current segment, then another is begun; in another process's folder, then that is asked. */
  async function makeRoom(bytes: number): Promise<void> {
    if (takeRoom(bytes)) return;
    // Whoever begins it tells why it does not work.
    if (isCurrentInTheWay()) await inTime(begin().catch(() => undefined));
    if (takeRoom(bytes)) return;
    await inTime(askOthers(bytes).catch(reportThrown));
    if (!takeRoom(bytes)) {
      others.rest();
      throw new JournalUnavailableError(
        'The journal is full of groups that Redis does not have yet (JOURNAL_LIMIT_BYTES).',
      );
    }
  }

  async function askOthers(bytes: number): Promise<void> {
    if (folder === undefined) return;
    await others.ask(folder.owner, Math.max(bytes, segmentBytes));
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
    return segments
      .all()
      .find((segment) => segment.pending.length > 0 && (unreadable.get(segment) ?? -Infinity) <= clock.elapsed());
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
      const record = beginRecord(events);
      await makeRoom(record.length);
      try {
        const { segment, range } = await writer.write(record);
        // At once: a tick may be under way, and the file would grow until it ends.
        if (!closed && segment === current && isToBeClosed(segment)) void begin().catch(failWith);
        return entryOf(segment, range);
      } finally {
        underWayBytes -= record.length;
      }
    },
    async takePending(limit) {
      for (let segment = nextPending(); segment !== undefined; segment = nextPending()) {
        try {
          // oxlint-disable-next-line no-await-in-loop -- damage is passed over
          const group = await readPending(segment, {
            ...limit,
            isCurrent: segment === current,
            onError: report,
            now: clock.now,
          });
          if (group !== undefined) return group;
        } catch (error) {
          unreadable.set(segment, clock.elapsed() + UNREADABLE_REST_MS);
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
        // Others have written it by a clock that may be behind ours.
        const isOurs = segment.owners.length === 1;
        if (owner === undefined) redoSince(segment, isOurs ? sinceMs : sinceMs - clock.lead());
        else if (segment.owners.includes(owner)) redoSince(segment, sinceMs);
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
      unheldPendingBytes: unheldBytes,
      diskFreeBytes: pressure.freeBytes(),
    }),
    now: clock.now,
    async close() {
      closed = true;
      clearInterval(timer);
      await inTime(Promise.allSettled([ticking, writer.settled(), beginning]));
      writer.moveTo(undefined);
      segments.all().forEach(giveUpHeld);
      if (folder !== undefined) await writeDown(folder.path).catch(reportThrown);
      await segments.close();
      if (folder === undefined) return;
      await removeFolder(folder.path).catch(reportThrown);
      await folder.release();
    },
  };
}

function isSame(one: InheritedNote, other: InheritedNote): boolean {
  return one.owner === other.owner && JSON.stringify(one.note) === JSON.stringify(other.note);
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
    if (isMissing(error)) return true;
    throw error;
  }
}
