import type { Socket } from 'node:net';
import type { Clock } from './clock.ts';
import { errorOf, isOutOfSpace } from './errors.ts';
import { isGone } from './files.ts';
import { beginSegment } from './segment/begin-segment.ts';
import type { SegmentList } from './segment/segment-list.ts';
import type { Segment } from './segment/segment.ts';
import { createWriter, type Writer } from './segment/writer.ts';
import { holdFolder, type OwnFolder } from './takeover/owner.ts';

/** A segment is closed at this age, in ms, so that the segments of quiet days do not outlast their retention. */
const SEGMENT_MS = 15 * 60_000;

/** What the current segment needs. */
export interface CurrentSegmentOptions {
  /** The journal's folder. */
  dir: string;
  /** A segment is closed at this size, in bytes. */
  segmentBytes: number;
  writeTimeoutMs: number;
  clock: Clock;
  segments: SegmentList;
  /** Whether room is so short that a segment is closed early: only a closed file can be removed. */
  isRoomShort: () => boolean;
  /** Is given whoever connects to this process's socket. */
  serve: (socket: Socket) => void;
  /** Is told why the journal takes nothing; once for each reason. */
  onFault: (cause: Error) => void;
  /** Is told that it takes groups again. */
  onReady: () => void;
}

/** The segment that this process writes to, in a folder of its own. */
export interface CurrentSegment {
  /** Undefined while the journal takes nothing. */
  get(): Segment | undefined;
  /** Undefined before the first segment. */
  folder(): OwnFolder | undefined;
  writer: Writer;
  /** Begins another segment. @throws the disk's error */
  begin(): Promise<void>;
  /** Begins another segment where that is due, or where there is none. Never rejects: it tells why the journal takes nothing. */
  look(): Promise<void>;
  /** Begins another segment where `written` is the current one and is to be closed; does not wait for it. */
  closeIfDue(written: Segment): void;
  /** The journal takes nothing from now on. */
  fail(thrown: unknown): void;
  /** Whether it takes nothing and has told why. */
  hasFailed(): boolean;
  /** Whether there are records in the current segment and Redis has all of them: it stands in the way of groups that need room. */
  isInTheWay(): boolean;
  /** The process leaves: no fault is told any more, and no segment begun for its size. */
  leave(): void;
  /** Resolves when nothing is being written, and no segment begun. */
  settled(): Promise<void>;
}

interface State {
  folder: OwnFolder | undefined;
  segment: Segment | undefined;
  fault: Error | undefined;
  /** The disk has no room. */
  isDiskFull: boolean;
  hasLeft: boolean;
  begun: number;
}

/** Makes the current segment of a process; nothing happens before `begin` or `look`. */
export function createCurrentSegment(options: CurrentSegmentOptions): CurrentSegment {
  const { clock, writeTimeoutMs } = options;
  const state: State = {
    folder: undefined,
    segment: undefined,
    fault: undefined,
    isDiskFull: false,
    hasLeft: false,
    begun: 0,
  };
  const writer = createWriter({ timeoutMs: writeTimeoutMs, onFault: fail, clock });
  let beginning: Promise<void> | undefined;

  function fail(thrown: unknown): void {
    const cause = errorOf(thrown);
    state.segment = undefined;
    writer.moveTo(undefined);
    state.isDiskFull = isOutOfSpace(cause);
    if (reasonOf(state.fault) !== reasonOf(cause) && !state.hasLeft) options.onFault(cause);
    state.fault = cause;
  }

  function begin(): Promise<void> {
    beginning ??= beginOnce(state, writer, options).finally(() => (beginning = undefined));
    return beginning;
  }

  async function look(segment: Segment | undefined): Promise<void> {
    if (segment === undefined) {
      if (!writer.isBusy()) await begin();
    } else if (!(await segment.isInPlace())) {
      // Another may have been begun meanwhile, and this one removed.
      if (segment === state.segment) fail(new Error('its folder was removed or replaced'));
    } else if (isToBeClosed(segment, options)) await begin();
  }

  return {
    get: () => state.segment,
    folder: () => state.folder,
    writer,
    begin,
    look: () => look(state.segment).catch(fail),
    closeIfDue(written) {
      if (!state.hasLeft && written === state.segment && isToBeClosed(written, options)) void begin().catch(fail);
    },
    fail,
    hasFailed: () => state.fault !== undefined,
    isInTheWay: () => !state.hasLeft && (state.segment?.facts.records ?? 0) > 0 && state.segment?.isEnqueued() === true,
    leave: () => void (state.hasLeft = true),
    async settled() {
      await Promise.allSettled([writer.settled(), beginning]);
    },
  };
}

/** What tells one fault from another. The system's messages name files, and each try makes one of a new name. */
function reasonOf(fault: Error | undefined): string | undefined {
  return fault !== undefined && 'code' in fault ? String(fault.code) : fault?.message;
}

function isToBeClosed(segment: Segment, { segmentBytes, clock, isRoomShort }: CurrentSegmentOptions): boolean {
  const { bytes, records } = segment.facts;
  if (bytes >= segmentBytes || (records > 0 && clock.elapsed() - segment.begunAt() >= SEGMENT_MS)) return true;
  // What Redis lacks stays in any case.
  return bytes >= segmentBytes / 8 && segment.pending().length === 0 && isRoomShort();
}

async function beginOnce(state: State, writer: Writer, options: CurrentSegmentOptions): Promise<void> {
  const { dir, clock, segments, serve, onReady } = options;
  if (state.folder !== undefined && (await isGone(state.folder.path))) {
    await state.folder.release();
    state.folder = undefined;
    segments.detach();
  }
  await freeFullDisk(state, options);
  state.folder ??= await holdFolder(dir, serve);
  const { path, owner } = state.folder;
  const segment = await beginSegment(path, owner, { at: clock.now(), number: state.begun++ });
  // The disk may have filled up meanwhile, and up to the moment when this segment is written to.
  // oxlint-disable-next-line no-await-in-loop -- until it has room
  while (state.isDiskFull) await freeFullDisk(state, options);
  segments.add(segment);
  state.segment = segment;
  writer.moveTo(segment);
  if (state.fault !== undefined) onReady();
  state.fault = undefined;
}

/** Removes what Redis has, as much as a segment may take, where the disk is full. */
async function freeFullDisk(state: State, { segments, segmentBytes }: CurrentSegmentOptions): Promise<void> {
  if (!state.isDiskFull) return;
  // Before the wait: the disk may fill up again meanwhile.
  state.isDiskFull = false;
  await segments.free(segmentBytes);
}
