/** How many pieces gather before they are put together, where they are small. */
const GATHER = 16;

/** Below so many bytes, those that gathered are put together and go on to gather; each piece costs some hundred bytes beside its own. */
const SMALL_BYTES = 16_384;

/** From so many bytes on, those that gathered are left as they are: to copy them would cost more than they do. */
const LARGE_BYTES = 65_536;

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

/** Adds a piece. A sender that sends byte by byte costs no more memory than its bytes, but for a handful of pieces. */
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

/** With memory of its own: a part of Node's pool would keep 8 KiB of it alive. */
function together(small: readonly Buffer[], bytes: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const piece of small) at += piece.copy(whole, at);
  return whole;
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
