import type { Socket } from 'node:net';
import type { Clock } from './clock.ts';
import { errorOf, isOutOfSpace } from './errors.ts';
import { isGone } from '@landline/held-folder/files';
import { beginSegment } from './segment/begin-segment.ts';
import type { SegmentList } from './segment/segment-list.ts';
import type { Segment } from './segment/segment.ts';
import { createWriter, type Writer } from './segment/writer.ts';
import { holdFolder, type OwnFolder } from '@landline/held-folder';

/**
 * The age at which a segment is closed, in ms. Only a closed segment can expire, so a longer time would keep the
 * segments of quiet days beyond their retention.
 */
const SEGMENT_MS = 15 * 60_000;

/** The dependencies of the current segment. */
export interface CurrentSegmentOptions {
  /** The journal's folder. */
  dir: string;
  /** The size at which a segment is closed, in bytes. */
  segmentBytes: number;
  writeTimeoutMs: number;
  clock: Clock;
  segments: SegmentList;
  /** Whether room is so short that segments are closed early. Only a closed segment can be removed. */
  isRoomShort: () => boolean;
  /** Serves a connection to this process's socket. */
  serve: (socket: Socket) => void;
  /** Called with the reason when the journal stops taking groups; once for each reason. */
  onFault: (cause: Error) => void;
  /** Called when the journal takes groups again. */
  onReady: () => void;
}

/** The segment that this process writes to, in the process's own folder. */
export interface CurrentSegment {
  /** The segment; undefined while the journal takes no groups. */
  get(): Segment | undefined;
  /** The folder; undefined before the first segment. */
  folder(): OwnFolder | undefined;
  writer: Writer;
  /** Begins another segment. @throws the disk's error */
  begin(): Promise<void>;
  /**
   * Begins another segment where one is due or missing. Never rejects: `onFault` reports why the journal takes no
   * groups.
   */
  check(): Promise<void>;
  /** Begins another segment where `written` is the current one and is due to be closed. Does not wait for it. */
  closeIfDue(written: Segment): void;
  /** Makes the journal refuse groups, and reports the reason. */
  fail(thrown: unknown): void;
  /** Whether the journal refuses groups and the reason was reported. */
  hasFailed(): boolean;
  /** Whether closing the segment would let it be removed: it has records, and Redis has all of them. */
  couldFreeRoom(): boolean;
  /** Stops the reports of faults, and the beginning of segments for size: the process is closing the journal. */
  stop(): void;
  /** Resolves when no write is under way and no segment is being begun. */
  settled(): Promise<void>;
}

interface State {
  folder: OwnFolder | undefined;
  segment: Segment | undefined;
  fault: Error | undefined;
  /** Whether the disk has no room. */
  isDiskFull: boolean;
  hasStopped: boolean;
  begun: number;
}

const NOTHING_BEGUN: Readonly<State> = {
  folder: undefined,
  segment: undefined,
  fault: undefined,
  isDiskFull: false,
  hasStopped: false,
  begun: 0,
};

/** Makes the current segment of a process. It touches no disk before `begin` or `check`. */
export function createCurrentSegment(options: CurrentSegmentOptions): CurrentSegment {
  const { clock, writeTimeoutMs } = options;
  const state: State = { ...NOTHING_BEGUN };
  const writer = createWriter({ timeoutMs: writeTimeoutMs, onFault: fail, clock });
  let beginning: Promise<void> | undefined;

  function fail(thrown: unknown): void {
    writer.moveTo(undefined);
    failWith(errorOf(thrown), state, options);
  }

  function begin(): Promise<void> {
    beginning ??= beginOnce(state, writer, options).finally(() => (beginning = undefined));
    return beginning;
  }

  return {
    get: () => state.segment,
    folder: () => state.folder,
    writer,
    begin,
    check: () => check(state, { writer, begin, fail }, options).catch(fail),
    closeIfDue(written) {
      if (!state.hasStopped && written === state.segment && isToBeClosed(written, options)) void begin().catch(fail);
    },
    fail,
    hasFailed: () => state.fault !== undefined,
    couldFreeRoom: () =>
      !state.hasStopped && (state.segment?.facts.records ?? 0) > 0 && state.segment?.isEnqueued() === true,
    stop: () => void (state.hasStopped = true),
    async settled() {
      await Promise.allSettled([writer.settled(), beginning]);
    },
  };
}

/** Leaves the journal without a segment, and reports the reason where it is a new one. */
function failWith(cause: Error, state: State, { onFault }: CurrentSegmentOptions): void {
  state.segment = undefined;
  state.isDiskFull = isOutOfSpace(cause);
  if (reasonOf(state.fault) !== reasonOf(cause) && !state.hasStopped) onFault(cause);
  state.fault = cause;
}

/** The means by which a check changes the current segment. */
interface Means {
  writer: Writer;
  begin: () => Promise<void>;
  fail: (thrown: unknown) => void;
}

async function check(state: State, { writer, begin, fail }: Means, options: CurrentSegmentOptions): Promise<void> {
  const { segment } = state;
  if (segment === undefined) {
    if (!writer.isBusy()) await begin();
  } else if (!(await segment.isInPlace())) {
    // Meanwhile another segment may have been begun, and this one removed.
    if (segment === state.segment) fail(new Error('its folder was removed or replaced'));
  } else if (isToBeClosed(segment, options)) await begin();
}

/**
 * Returns what distinguishes one fault from another. The system's messages name files, and each try makes a file of a
 * new name.
 */
function reasonOf(fault: Error | undefined): string | undefined {
  return fault !== undefined && 'code' in fault ? String(fault.code) : fault?.message;
}

function isToBeClosed(segment: Segment, { segmentBytes, clock, isRoomShort }: CurrentSegmentOptions): boolean {
  const { bytes, records } = segment.facts;
  if (bytes >= segmentBytes || (records > 0 && clock.elapsed() - segment.begunAt() >= SEGMENT_MS)) return true;
  // A segment with records that Redis lacks cannot be removed, so closing it frees nothing.
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
  // The disk may have filled up meanwhile, and may fill up until this segment is written to.
  while (state.isDiskFull) await freeFullDisk(state, options);
  segments.add(segment);
  state.segment = segment;
  writer.moveTo(segment);
  if (state.fault !== undefined) onReady();
  state.fault = undefined;
}

/** Where the disk is full, removes segments that Redis has, up to the size of one segment. */
async function freeFullDisk(state: State, { segments, segmentBytes }: CurrentSegmentOptions): Promise<void> {
  if (!state.isDiskFull) return;
  // Reset before the wait, because the disk may fill up again during it.
  state.isDiskFull = false;
  await segments.free(segmentBytes);
}
