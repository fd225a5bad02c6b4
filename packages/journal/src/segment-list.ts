import type { Clock } from './clock.ts';
import { writeMark } from './mark.ts';
import { addRange } from './ranges.ts';
import { closeSegment, isEnqueued, removeSegment, SEGMENT_HEADER_BYTES, type Segment } from './segment.ts';

const HOUR_MS = 3_600_000;

export interface SegmentListOptions {
  limitBytes: number;
  retentionHours: number;
  clock: Clock;
  /** A file cannot be removed; it is tried again. */
  onError: (error: Error) => void;
}

export interface RoomOptions {
  /** Of files that are no segments of this process. */
  otherBytes: number;
  current: Segment | undefined;
  /** Nothing is too old: whether Redis has what was taken over is not known yet. */
  keepsOld?: boolean;
  /** What Redis has is removed until all files together have no more bytes; the limit unless told otherwise. */
  downTo?: number;
}

/** What a process holds: its segments, and what bounds them. `current` is the one that is written to; it is never removed. */
export interface SegmentList {
  /** Oldest first. */
  all(): readonly Segment[];
  add(segment: Segment): void;
  /** Their files were removed under our hands: what Redis lacks of them is still read through what is held open. */
  orphan(): void;
  /** Of the files that are there. */
  bytes(): number;
  /**
   * Removes segments that Redis has, the oldest first: those that are too old or empty, and as many as stand in the way of `bytes` more
   * and `otherBytes`.
   *
   * @returns Whether there is room now.
   */
  makeRoom(bytes: number, options: RoomOptions): boolean;
  /** Removes as many bytes of what Redis has, the oldest first, as there are; all but `kept`. Resolves with how many those were. */
  free(bytes: number, kept?: Segment): Promise<number>;
  /** Writes down what changed. @throws what the disk says; what was not written is written next time */
  writeMarks(): Promise<void>;
  /** Closes what is enqueued: it is only read again when Redis loses it. */
  closeIdle(current: Segment | undefined): Promise<void>;
  /** Closes all, and removes what has nothing in it. */
  close(): Promise<void>;
}

/** Makes an empty list. */
export function createSegmentList({ limitBytes, retentionHours, clock, onError }: SegmentListOptions): SegmentList {
  let segments: Segment[] = [];
  let orphans: Segment[] = [];

  const bytes = () => segments.reduce((sum, segment) => sum + segment.bytes, 0);

  function dropOrphans(): void {
    for (const orphan of orphans.filter(isEnqueued)) void closeSegment(orphan);
    orphans = orphans.filter((orphan) => !isEnqueued(orphan));
  }

  function add(segment: Segment): void {
    segments = [...segments, segment].sort((a, b) => a.firstAt - b.firstAt);
  }

  /** Whether it is gone. */
  async function remove(segment: Segment): Promise<boolean> {
    segments = segments.filter((other) => other !== segment);
    try {
      await removeSegment(segment);
      return true;
    } catch (error) {
      add(segment);
      onError(new Error(`The journal's file ${segment.path} cannot be removed; it is tried again: ${String(error)}`));
      return false;
    }
  }

  return {
    all: () => [...orphans, ...segments],
    add(segment) {
      // Its age is measured once, by its process's clock and ours. From then on no clock that is set makes it older or younger.
      segment.begunAt = clock.elapsed() - Math.max(0, clock.now() - segment.firstAt);
      segment.quietSince = clock.elapsed() - Math.max(0, clock.now() - segment.lastAt);
      add(segment);
    },
    orphan() {
      orphans = [...orphans, ...segments].filter(({ handle }) => handle !== undefined);
      segments = [];
      dropOrphans();
    },
    bytes,
    makeRoom(more, { otherBytes, current, keepsOld = false, downTo = limitBytes }) {
      const oldest = keepsOld ? -Infinity : clock.elapsed() - retentionHours * HOUR_MS;
      let used = bytes() + otherBytes + more;
      for (const segment of segments.filter((each) => each !== current && isEnqueued(each))) {
        if (used <= downTo && segment.quietSince >= oldest && !hasNothing(segment)) continue;
        used -= segment.bytes;
        void remove(segment);
      }
      dropOrphans();
      return used <= limitBytes;
    },
    async free(wanted, kept) {
      let freed = 0;
      for (const segment of segments.filter((each) => each !== kept && isEnqueued(each))) {
        if (freed >= wanted) break;
        // Redis may have lost it while the others were removed, or another call has removed it.
        if (!isEnqueued(segment) || !segments.includes(segment)) continue;
        // oxlint-disable-next-line no-await-in-loop -- oldest first, and no more than needed
        if (await remove(segment)) freed += segment.bytes;
      }
      return freed;
    },
    async writeMarks() {
      for (const segment of segments.filter(({ isMarkStale }) => isMarkStale)) {
        // It may have been removed while the others were written.
        if (!segments.includes(segment)) continue;
        segment.isMarkStale = false;
        const pending = segment.pending.map((range) => ({ ...range }));
        for (const range of segment.held) addRange(pending, range);
        const { bytes: end, provenBytes: proven, records, reenqueued, owners, lastAt } = segment;
        // oxlint-disable-next-line no-await-in-loop -- a few small files
        await writeMark(segment.path, { end, proven, records, pending, reenqueued, owners, lastAt }).catch(
          (error: unknown) => {
            segment.isMarkStale = true;
            throw error;
          },
        );
      }
    },
    async closeIdle(current) {
      const idle = segments.filter((each) => each !== current && each.handle !== undefined && isEnqueued(each));
      await Promise.all(idle.map(closeSegment));
    },
    async close() {
      await Promise.all(orphans.map(closeSegment));
      await Promise.all(
        segments.map(async (segment) => void (await (hasNothing(segment) ? remove(segment) : closeSegment(segment)))),
      );
    },
  };
}

function hasNothing(segment: Segment): boolean {
  return segment.bytes <= SEGMENT_HEADER_BYTES && isEnqueued(segment);
}
