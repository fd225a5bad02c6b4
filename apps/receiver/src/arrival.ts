import type { Arriving, Connection } from './connections.ts';
import type { Pieces } from './pieces.ts';

/** A body from its first byte to its answer. */
export interface Arrival extends Arriving {
  readonly connection: Connection;
  readonly pieces: Pieces;
  /** How many bytes are to come; Infinity where nobody has said. */
  announcedBytes: number;
  /** Bytes since it last made progress. */
  stepBytes: number;
  /** Arrived in full, failed or given up: nothing more of it is taken. */
  isOver: boolean;
  isWhole: boolean;
  isReleased: boolean;
  readonly release: () => void;
  readonly done: Done;
}

/** Takes a whole body, or why there is none. */
export type Done = (error: Error | null, body?: Buffer) => void;
