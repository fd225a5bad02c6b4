/** How many pieces gather before small ones are put together. */
const GATHER = 256;

/** Pieces below this many bytes on average are put together: each costs some hundred bytes beside its own. */
const SMALL_PIECE_BYTES = 1024;

/** A body in the pieces in which it arrives. Plain data: one is made for each request. */
export interface Pieces {
  /** Bytes that were added, also after `dropPieces`. */
  bytes: number;
  /** Those before `latest`; undefined in the body of an event, which comes in one piece or a few. */
  gathered: Buffer[] | undefined;
  latest: Buffer[];
}

/** Makes a body without a byte. */
export function noPieces(): Pieces {
  return { bytes: 0, gathered: undefined, latest: [] };
}

/** Adds a piece. A sender that sends byte by byte costs no more memory than its bytes. */
export function addPiece(pieces: Pieces, piece: Buffer): void {
  const { latest } = pieces;
  latest.push(piece);
  pieces.bytes += piece.length;
  if (latest.length < GATHER) return;
  const gathered = (pieces.gathered ??= []);
  const bytes = latest.reduce((sum, { length }) => sum + length, 0);
  if (bytes < GATHER * SMALL_PIECE_BYTES) gathered.push(Buffer.concat(latest, bytes));
  else gathered.push(...latest);
  pieces.latest = [];
}

/** All bytes in one. */
export function joinPieces({ bytes, gathered, latest }: Pieces): Buffer {
  const [first] = latest;
  if (gathered === undefined && latest.length === 1 && first !== undefined) return first;
  return Buffer.concat([...(gathered ?? []), ...latest], bytes);
}

/** Lets go of the bytes. */
export function dropPieces(pieces: Pieces): void {
  pieces.gathered = undefined;
  pieces.latest = [];
}
