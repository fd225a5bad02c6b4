/** How many pieces a body gathers before it joins them. */
const GATHER = 16;

/** Pieces of fewer bytes in all are joined into one that gathers on: each piece costs a hundred bytes or so beside its own. */
const SMALL_BYTES = 16_384;

/** Pieces of this many bytes in all, or more, are kept as they are: a copy would cost more than the pieces. */
const LARGE_BYTES = 65_536;

/** A body in the pieces in which it arrives. It is plain data, because the receiver makes one for each request. */
export interface Pieces {
  /** How many bytes were added, also after `dropPieces`. */
  bytes: number;
  /** The pieces before `latest`; undefined in most bodies, which come in one piece or a few. */
  gathered: Buffer[] | undefined;
  latest: Buffer[];
}

/** Makes a body without a byte. */
export function noPieces(): Pieces {
  return { bytes: 0, gathered: undefined, latest: [] };
}

/** Adds a piece. A body that comes byte by byte costs little more memory than its bytes. */
export function addPiece(pieces: Pieces, piece: Buffer): void {
  const { latest } = pieces;
  latest.push(piece);
  pieces.bytes += piece.length;
  if (latest.length < GATHER) return;
  const bytes = latest.reduce((sum, { length }) => sum + length, 0);
  if (bytes < SMALL_BYTES) {
    pieces.latest = [together(latest, bytes)];
    return;
  }
  const gathered = (pieces.gathered ??= []);
  if (bytes < LARGE_BYTES) gathered.push(together(latest, bytes));
  else gathered.push(...latest);
  pieces.latest = [];
}

/** Joins small pieces in memory of their own: a slice of Node's pool would keep 8 KiB alive. */
function together(small: readonly Buffer[], bytes: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const piece of small) at += piece.copy(whole, at);
  return whole;
}

/** Returns the pieces, in order. */
export function allPieces({ gathered, latest }: Pieces): readonly Buffer[] {
  return gathered === undefined ? latest : [...gathered, ...latest];
}

/** Drops the bytes, so that their memory can be freed. */
export function dropPieces(pieces: Pieces): void {
  pieces.gathered = undefined;
  pieces.latest = [];
}

/** Takes the pieces out, in order. */
export function takePieces(pieces: Pieces): readonly Buffer[] {
  const all = allPieces(pieces);
  dropPieces(pieces);
  return all;
}
