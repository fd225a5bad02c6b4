import type { Clock } from '../clock.ts';
import type { Range } from './ranges.ts';
import type { Found } from './read-records.ts';

/** What is known of a segment when it is begun or opened. */
export interface SegmentFacts {
  /** See `sealRecord`. */
  seed: number;
  /** The processes that enqueued parts of it: the one that began it, then those that took it over. */
  owners: readonly string[];
  /** When its first and its last record were written, in unix milliseconds. */
  firstAt: number;
  lastAt: number;
  /** Up to here it is on the disk. */
  bytes: number;
  /** Up to here it was on the disk while its process lived: bytes before this that are no record were one. */
  provenBytes: number;
  records: number;
}

/** One append-only file, and what is known of its records. Its state changes by these functions alone. */
export interface Segment {
  /** What is known of it now. */
  readonly facts: Readonly<SegmentFacts>;
  path(): string;
  isOpen(): boolean;
  /** When it was begun and when it was last written to, in ms by `elapsed` of the clock that `measureAge` was given. */
  begunAt(): number;
  quietSince(): number;
  /** Measures its age once, by the clock of its writer and ours. From then on no clock that is set makes it older or younger. */
  measureAge(clock: Clock): void;
  /** Redis lacks these parts, and nobody is enqueuing them; sorted. */
  pending(): readonly Range[];
  /** Whether Redis has all of it, and nothing is being written to it. */
  isEnqueued(): boolean;
  /** Whether it holds no record, and nothing is being written to it. */
  isEmpty(): boolean;
  /** Appends records; when it resolves they are on the disk, and held, or pending where nobody waits any more. @throws the disk's error */
  append(records: readonly Buffer[], options: AppendOptions): Promise<Range[]>;
  /** Reads what stands in a range. @throws the disk's error */
  read(range: { from: number; to: number }): AsyncGenerator<Found>;
  /** A pending part is on its way to Redis. */
  take(range: Range): void;
  /** Settles a part that is on its way; the first word counts. `reenqueuedAt`: when Redis took a part that had been pending, in unix ms. */
  settle(range: Range, outcome: 'enqueued' | 'failed', reenqueuedAt?: number): void;
  /** Nobody will settle what is on its way: it is pending. */
  giveUpHeld(): void;
  /** Makes pending again what was enqueued at or after `sinceMs`, because it may be lost. */
  redoSince(sinceMs: number): void;
  /** Cuts off what its process was writing when it died. @throws the disk's error */
  cutAt(offset: number): Promise<void>;
  /** Copies bytes that are no record to a file of their own and resolves with its path. @throws the disk's error */
  copyAside(part: { from: number; to: number }): Promise<string>;
  /** Passes over bytes that are no record. */
  skip(part: { from: number; to: number }): void;
  /** How many bytes are gone from its end that were on the disk; told once, then 0. */
  takeMissingBytes(): number;
  /** Whether its file is still the one that is open. @throws the disk's error */
  isInPlace(): Promise<boolean>;
  /** Moves its file into the folder of `owner`, who enqueues it from now on; false where another process was quicker. @throws the disk's error */
  moveTo(folder: string, owner: string): Promise<boolean>;
  /** Whether its mark is older than what is known. */
  isMarkStale(): boolean;
  /** Writes down what is known. @throws the disk's error; then the mark is still stale */
  writeMark(): Promise<void>;
  /** Closes its file; `read` opens it again. */
  close(): Promise<void>;
  /** Removes its file. @throws the disk's error; then the file may still be there */
  remove(): Promise<void>;
}

/** How records are appended to a segment. */
export interface AppendOptions {
  clock: Clock;
  /** When the records are written, in unix ms. */
  at: number;
  /** Whether the callers were told meanwhile that the write failed. */
  isLate: () => boolean;
}
