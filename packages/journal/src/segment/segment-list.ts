import type { Clock } from '../clock.ts';
import type { Segment } from './segment.ts';

const HOUR_MS = 3_600_000;

/** The options of a list of segments. */
export interface SegmentListOptions {
  limitBytes: number;
  retentionHours: number;
  clock: Clock;
  /** Called where a file cannot be removed; the list tries again. */
  onError: (error: Error) => void;
}

/** The options of `makeRoom`. */
export interface RoomOptions {
  /** The bytes of files that are no segments of this process. */
  otherBytes: number;
  current: Segment | undefined;
  /** Whether expired segments stay, because it is not known yet whether Redis has what was taken over. */
  keepsExpired?: boolean;
  /**
   * The target of all files together, in bytes; segments that Redis has are removed until it is met. The default is the
   * limit.
   */
  targetBytes?: number;
}

/**
 * The segments of a process, and their limits. The list never removes `current`, the segment that the process writes
 * to.
 */
export interface SegmentList {
  /** Oldest first. */
  all(): readonly Segment[];
  add(segment: Segment): void;
  /**
   * Handles a folder whose files were removed by another program. Records that Redis lacks are still read through the
   * open handles.
   */
  detach(): void;
  /** The bytes of the files on the disk. */
  bytes(): number;
  /**
   * Removes segments that Redis has, the oldest first: expired ones, empty ones, and as many as `bytes` more and
   * `otherBytes` need.
   *
   * @returns  Whether there is room now.
   */
  makeRoom(bytes: number, options: RoomOptions): boolean;
  /**
   * Removes segments that Redis has, the oldest first and never `kept`, until `bytes` are free. Resolves with the
   * number of freed bytes.
   */
  free(bytes: number, kept?: Segment): Promise<number>;
  /** Writes the stale marks. @throws the disk's error; the next call writes the rest */
  writeMarks(): Promise<void>;
  /** Closes the handles of segments that Redis has. They are read again only where Redis loses them. */
  closeIdle(current: Segment | undefined): Promise<void>;
  /** Closes all segments, and removes those without a record. */
  close(): Promise<void>;
}

/** Makes an empty list. */
export function createSegmentList(options: SegmentListOptions): SegmentList {
  const { limitBytes, retentionHours, clock } = options;
  const held = createHeldSegments(options);
  return {
    all: () => held.all(),
    add(segment) {
      segment.measureAge(clock);
      held.add(segment);
    },
    detach: () => held.detach(),
    bytes: () => held.bytes(),
    makeRoom(more, { otherBytes, current, keepsExpired = false, targetBytes = limitBytes }) {
      const oldest = keepsExpired ? -Infinity : clock.elapsed() - retentionHours * HOUR_MS;
      const used = held.bytes() + otherBytes + more;
      return removeEnqueued(held, used, { current, oldest, targetBytes }) <= limitBytes;
    },
    free: (wanted, kept) => free(held, wanted, kept),
    writeMarks: () => writeMarks(held),
    async closeIdle(current) {
      const idle = held.enqueued(current).filter((each) => each.isOpen());
      await Promise.all(idle.map((each) => each.close()));
    },
    async close() {
      await held.closeDetached();
      await Promise.all(
        held.present().map(async (each) => void (await (each.isEmpty() ? held.remove(each) : each.close()))),
      );
    },
  };
}

/** Which of the segments that Redis has are removed. */
interface RemovalOptions {
  current: Segment | undefined;
  /** Segments that were last written to before this time have expired, by `elapsed`. */
  oldest: number;
  targetBytes: number;
}

/** Removes segments that Redis has, the oldest first. Returns how many of the `used` bytes are left. */
function removeEnqueued(held: HeldSegments, used: number, { current, oldest, targetBytes }: RemovalOptions): number {
  let left = used;
  for (const segment of held.enqueued(current)) {
    if (left <= targetBytes && segment.lastWrittenAt() >= oldest && !segment.isEmpty()) continue;
    left -= segment.facts.bytes;
    void held.remove(segment);
  }
  held.dropDetached();
  return left;
}

async function writeMarks(held: HeldSegments): Promise<void> {
  for (const segment of held.present().filter((each) => each.isMarkStale())) {
    // The segment may have been removed while others were written.
    // oxlint-disable-next-line no-await-in-loop -- a few small files
    if (held.present().includes(segment)) await segment.writeMark();
  }
}

interface HeldSegments {
  all(): readonly Segment[];
  /** The segments whose files are on the disk. */
  present(): readonly Segment[];
  /** The segments on the disk that Redis has, without `kept`. */
  enqueued(kept?: Segment): readonly Segment[];
  bytes(): number;
  add(segment: Segment): void;
  /** Removes a segment; resolves with whether the file is gone. */
  remove(segment: Segment): Promise<boolean>;
  detach(): void;
  dropDetached(): void;
  closeDetached(): Promise<void>;
}

interface State {
  segments: Segment[];
  /** Segments whose files were removed by another program, with records that Redis lacks. */
  detached: Segment[];
}

function createHeldSegments({ onError }: Pick<SegmentListOptions, 'onError'>): HeldSegments {
  const state: State = { segments: [], detached: [] };
  return {
    all: () => [...state.detached, ...state.segments],
    present: () => state.segments,
    enqueued: (kept) => state.segments.filter((each) => each !== kept && each.isEnqueued()),
    bytes: () => state.segments.reduce((sum, { facts }) => sum + facts.bytes, 0),
    add: (segment) => add(state, segment),
    remove: (segment) => remove(state, segment, onError),
    detach() {
      state.detached = [...state.detached, ...state.segments].filter((each) => each.isOpen());
      state.segments = [];
      dropDetached(state);
    },
    dropDetached: () => dropDetached(state),
    async closeDetached() {
      await Promise.all(state.detached.map((each) => each.close()));
    },
  };
}

function add(state: State, segment: Segment): void {
  state.segments = [...state.segments, segment].sort((a, b) => a.facts.firstAt - b.facts.firstAt);
}

async function remove(state: State, segment: Segment, onError: (error: Error) => void): Promise<boolean> {
  state.segments = state.segments.filter((other) => other !== segment);
  try {
    await segment.remove();
    return true;
  } catch (error) {
    add(state, segment);
    onError(new Error(`The journal's file ${segment.path()} cannot be removed; it is tried again: ${String(error)}`));
    return false;
  }
}

function dropDetached(state: State): void {
  for (const segment of state.detached.filter((each) => each.isEnqueued())) void segment.close();
  state.detached = state.detached.filter((each) => !each.isEnqueued());
}

async function free(held: HeldSegments, wanted: number, kept?: Segment): Promise<number> {
  let freed = 0;
  for (const segment of held.enqueued(kept)) {
    if (freed >= wanted) break;
    // Meanwhile Redis may have lost the segment, or another call may have removed it.
    if (!segment.isEnqueued() || !held.present().includes(segment)) continue;
    // oxlint-disable-next-line no-await-in-loop -- oldest first, and no more than needed
    if (await held.remove(segment)) freed += segment.facts.bytes;
  }
  return freed;
}
