/** How many pieces gather before small ones are put together. */
const GATHER = 256;

/** Pieces below this many bytes on average are put together: each costs some hundred bytes beside its own. */
const SMALL_PIECE_BYTES = 1024;

/** A body in the pieces in which it arrives. */
export interface Pieces {
  add(piece: Buffer): void;
  /** Bytes that were added, also after `join` and `drop`. */
  bytes(): number;
  /** All bytes in one. */
  join(): Buffer;
  /** Lets go of the bytes. */
  drop(): void;
}

/** Collects pieces. A sender that sends byte by byte costs no more memory than its bytes. */
export function collectPieces(): Pieces {
  let gathered: Buffer[] = [];
  let pieces: Buffer[] = [];
  let pieceBytes = 0;
  let bytes = 0;
  return {
    add(piece) {
      pieces.push(piece);
      pieceBytes += piece.length;
      bytes += piece.length;
      if (pieces.length < GATHER) return;
      if (pieceBytes < GATHER * SMALL_PIECE_BYTES) gathered.push(Buffer.concat(pieces, pieceBytes));
      else for (const one of pieces) gathered.push(one);
      pieces = [];
      pieceBytes = 0;
    },
    bytes: () => bytes,
    join() {
      const [first] = pieces;
      if (gathered.length === 0 && pieces.length === 1 && first !== undefined) return first;
      return Buffer.concat([...gathered, ...pieces], bytes);
    },
    drop() {
      gathered = [];
      pieces = [];
    },
  };
}
