import type { Arriving, Connection } from './connections.ts';
import type { Pieces } from './pieces.ts';

/** A body from its first byte to its answer. */
export interface Arrival extends Arriving {
  readonly connection: Connection;
  readonly pieces: Pieces;
  /** The length that the sender announced, in bytes; Infinity where it announced none. */
  announcedBytes: number;
  /** Bytes that have come since the body last made progress. */
  stepBytes: number;
  /** Whether the body has arrived in full, failed or been given up: the receiver takes no more of it. */
  isOver: boolean;
  /** Whether the body has arrived in full and was not released before. */
  isWhole: boolean;
  /** Whether the body's bytes were given back to the budget. */
  isReleased: boolean;
  readonly release: () => void;
  readonly done: Done;
}

/** Is called once, with the whole body or with the reason why there is none. */
export type Done = (error: Error | null, body?: Buffer) => void;
