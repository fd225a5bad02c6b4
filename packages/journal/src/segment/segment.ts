import type { Clock } from '../clock.ts';
import type { Range } from './ranges.ts';
import type { Found } from './read-records.ts';

/** The facts of a segment. */
export interface SegmentFacts {
  /** The seed, see `sealRecord`. */
  seed: number;
  /** The processes that enqueued parts of the segment: its first process, then the processes that took it over. */
  owners: readonly string[];
  /** The times of its first and last record, in unix milliseconds. */
  firstAt: number;
  lastAt: number;
  /** The number of bytes on the disk. */
  bytes: number;
  /**
   * The number of bytes that were on the disk while the segment's process lived. Damaged bytes before this offset were
   * a record.
   */
  provenBytes: number;
  records: number;
}

/** An append-only file, and the state of its records. Only these functions change the state. */
export interface Segment {
  /** The current facts. */
  readonly facts: Readonly<SegmentFacts>;
  path(): string;
  isOpen(): boolean;
  /** The times of its beginning and of its last write, in ms by `elapsed` of the clock that `measureAge` was given. */
  begunAt(): number;
  lastWrittenAt(): number;
  /**
   * Measures its age once, by the clock of its writer and ours. Later changes of the system's clock do not change the
   * age.
   */
  measureAge(clock: Clock): void;
  /** The parts that Redis lacks and that are not being enqueued; sorted. */
  pending(): readonly Range[];
  /** Whether Redis has the whole segment, and no write is under way. */
  isEnqueued(): boolean;
  /** Whether it holds no record, and no write is under way. */
  isEmpty(): boolean;
  /**
   * Appends records. When it resolves, they are on the disk and held; they are pending where their callers have given
   * up. @throws the disk's error
   */
  append(records: readonly Buffer[], options: AppendOptions): Promise<Range[]>;
  /** Yields the records and damaged parts of a range. @throws the disk's error */
  read(range: { from: number; to: number }): AsyncGenerator<Found>;
  /** Makes a pending part a held one: it is being enqueued. */
  take(range: Range): void;
  /**
   * Settles a held part; a second report is ignored. `reenqueuedAt`: when Redis took a part that had been pending, in
   * unix ms.
   */
  settle(range: Range, outcome: 'enqueued' | 'failed', reenqueuedAt?: number): void;
  /** Makes every held part pending, because its caller will not settle it any more. */
  giveUpHeld(): void;
  /** Makes pending again what was enqueued at or after `sinceMs`, because Redis may have lost it. */
  redoSince(sinceMs: number): void;
  /** Cuts off the record that its process was writing when it died. @throws the disk's error */
  cutAt(offset: number): Promise<void>;
  /** Copies damaged bytes to a new file and resolves with its path. @throws the disk's error */
  copyAside(part: { from: number; to: number }): Promise<string>;
  /** Skips damaged bytes: they are not pending any more. */
  skip(part: { from: number; to: number }): void;
  /** Returns the number of bytes lost from its end that had been on the disk. A second call returns 0. */
  takeMissingBytes(): number;
  /** Whether its file is still the open one. @throws the disk's error */
  isInPlace(): Promise<boolean>;
  /**
   * Moves its file into the folder of `owner`, which enqueues it from now on; false where another process moved it
   * before. @throws the disk's error
   */
  moveTo(folder: string, owner: string): Promise<boolean>;
  /** Whether its mark is older than its state. */
  isMarkStale(): boolean;
  /** Writes its mark. @throws the disk's error; then the mark is still stale */
  writeMark(): Promise<void>;
  /** Closes its file; `read` opens it again. */
  close(): Promise<void>;
  /** Removes its file. @throws the disk's error; then the file may still be there */
  remove(): Promise<void>;
}

/** The options of an append. */
export interface AppendOptions {
  clock: Clock;
  /** The time of the records, in unix ms. */
  at: number;
  /** Whether the callers already got an error for this write. */
  isLate: () => boolean;
}
