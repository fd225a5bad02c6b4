import type { Clock } from '../clock.ts';
import type { Segment } from './segment.ts';

const HOUR_MS = 3_600_000;

/** What bounds a list of segments. */
export interface SegmentListOptions {
  limitBytes: number;
  retentionHours: number;
  clock: Clock;
  /** Is told that a file cannot be removed; it is tried again. */
  onError: (error: Error) => void;
}

/** How room is made among the segments. */
export interface RoomOptions {
  /** Of files that are no segments of this process. */
  otherBytes: number;
  current: Segment | undefined;
  /** Nothing is too old: whether Redis has what was taken over is not known yet. */
  keepsOld?: boolean;
  /** What Redis has is removed until all files together have no more bytes; the limit unless told otherwise. */
  downTo?: number;
}

/** The segments that a process holds, and their bounds. `current` is the one that it writes to, which is never removed. */
export interface SegmentList {
  /** Oldest first. */
  all(): readonly Segment[];
  add(segment: Segment): void;
  /** Somebody removed their files. What Redis lacks of them is still read through the handles that are open. */
  detach(): void;
  /** Of the files that are there. */
  bytes(): number;
  /**
   * Removes segments that Redis has, the oldest first: those that are too old or empty, and as many as stand in the way of `bytes` more
   * and `otherBytes`.
   *
   * @returns Whether there is room now.
   */
  makeRoom(bytes: number, options: RoomOptions): boolean;
  /** Removes segments that Redis has, the oldest first, all but `kept`, until `bytes` are free. Resolves with the bytes that it freed. */
  free(bytes: number, kept?: Segment): Promise<number>;
  /** Writes the stale marks. @throws the disk's error; a mark that was not written is written next time */
  writeMarks(): Promise<void>;
  /** Closes segments that Redis has: they are only read again when it loses them. */
  closeIdle(current: Segment | undefined): Promise<void>;
  /** Closes all, and removes those without a record. */
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
    makeRoom(more, { otherBytes, current, keepsOld = false, downTo = limitBytes }) {
      const oldest = keepsOld ? -Infinity : clock.elapsed() - retentionHours * HOUR_MS;
      let used = held.bytes() + otherBytes + more;
      for (const segment of held.enqueued(current)) {
        if (used <= downTo && segment.quietSince() >= oldest && !segment.isEmpty()) continue;
        used -= segment.facts.bytes;
        void held.remove(segment);
      }
      held.dropDetached();
      return used <= limitBytes;
    },
    free: (wanted, kept) => free(held, wanted, kept),
    async writeMarks() {
      for (const segment of held.present().filter((each) => each.isMarkStale())) {
        // It may have been removed while the others were written.
        // oxlint-disable-next-line no-await-in-loop -- a few small files
        if (held.present().includes(segment)) await segment.writeMark();
      }
    },
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

interface HeldSegments {
  all(): readonly Segment[];
  /** Those whose files are there. */
  present(): readonly Segment[];
  /** Those of them that Redis has, without `kept`. */
  enqueued(kept?: Segment): readonly Segment[];
  bytes(): number;
  add(segment: Segment): void;
  /** Resolves with whether it is gone. */
  remove(segment: Segment): Promise<boolean>;
  detach(): void;
  dropDetached(): void;
  closeDetached(): Promise<void>;
}

function createHeldSegments({ onError }: Pick<SegmentListOptions, 'onError'>): HeldSegments {
  let segments: Segment[] = [];
  let detached: Segment[] = [];

  function add(segment: Segment): void {
    segments = [...segments, segment].sort((a, b) => a.facts.firstAt - b.facts.firstAt);
  }

  function dropDetached(): void {
    for (const segment of detached.filter((each) => each.isEnqueued())) void segment.close();
    detached = detached.filter((each) => !each.isEnqueued());
  }

  async function remove(segment: Segment): Promise<boolean> {
    segments = segments.filter((other) => other !== segment);
    try {
      await segment.remove();
      return true;
    } catch (error) {
      add(segment);
      onError(new Error(`The journal's file ${segment.path()} cannot be removed; it is tried again: ${String(error)}`));
      return false;
    }
  }

  return {
    all: () => [...detached, ...segments],
    present: () => segments,
    enqueued: (kept) => segments.filter((each) => each !== kept && each.isEnqueued()),
    bytes: () => segments.reduce((sum, { facts }) => sum + facts.bytes, 0),
    add,
    remove,
    detach() {
      detached = [...detached, ...segments].filter((each) => each.isOpen());
      segments = [];
      dropDetached();
    },
    dropDetached,
    async closeDetached() {
      await Promise.all(detached.map((each) => each.close()));
    },
  };
}

async function free(held: HeldSegments, wanted: number, kept?: Segment): Promise<number> {
  let freed = 0;
  for (const segment of held.enqueued(kept)) {
    if (freed >= wanted) break;
    // Redis may have lost it while the others were removed, or another call has removed it.
    if (!segment.isEnqueued() || !held.present().includes(segment)) continue;
    // oxlint-disable-next-line no-await-in-loop -- oldest first, and no more than needed
    if (await held.remove(segment)) freed += segment.facts.bytes;
  }
  return freed;
}
