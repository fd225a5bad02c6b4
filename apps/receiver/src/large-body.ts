import { createHash, type Hash } from 'node:crypto';
import { SpoolError, type BodyWriter, type SpooledBody } from '@landline/recordings';
import { keyOfHash } from '@landline/webhook';
import type { Receipt } from '@landline/webhook/delivery';
import { verifyArriving, type SignatureRead, type Verdict } from '@landline/webhook/verify';
import type { Slices } from './slices.ts';

/** How many bytes of either end are kept to find the event's type for the log. */
const END_BYTES = 4096;

/** So many bytes are hashed and written in one go, where so many wait: a body in tiny pieces costs no more turns than another. */
const SLICE_BYTES = 65_536;

/** So many pieces may wait, however small they are. */
const MAX_PIECES = 1024;

/** A body that goes into a file of the spool while it arrives. */
export interface LargeBody {
  /** Adds a piece. Returns whether enough waits, so that no more should come before `onWritten`. */
  add(piece: Buffer): boolean;
  /** Whether a piece waits for the disk, so that the sender is not to blame for the time. */
  isBusy(): boolean;
  /** Resolves when all pieces are in the file. @throws SpoolError */
  written(): Promise<void>;
  /** Returns the verdict on the whole body. Call it once, after `written`. */
  verdict(): Verdict;
  /** The first and the last bytes, as text: enough to find the type that most bodies name. */
  ends(): string;
  /** How many bytes have come. */
  bytes(): number;
  /** Reads the first bytes, after `written`. `discard` may be called right after. Rejects as the disk does. */
  head(bytes: number): Promise<Buffer>;
  /** Resolves when the body is on the disk for good. @throws SpoolError, also where it was discarded before */
  keep(receipt: Receipt): Promise<SpooledBody>;
  /** Removes the file, unless the body is kept or being kept. Never throws. */
  discard(): void;
}

/** What a large body works with. */
export interface LargeBodyOptions {
  writer: BodyWriter;
  signature: SignatureRead;
  secrets: readonly string[];
  slices: Slices;
  /** Called when no piece waits any more. */
  onWritten: () => void;
  /** Called at most once, with why the body cannot be kept. */
  onError: (error: unknown) => void;
}

/** A large body under way. */
interface Arriving extends LargeBodyOptions {
  readonly verifying: ReturnType<typeof verifyArriving>;
  readonly hash: Hash;
  /** What waits, and how many bytes that is. */
  pieces: Buffer[];
  waitingBytes: number;
  /** Undefined when no piece waits. */
  writing: Promise<void> | undefined;
  /** Kept or given up. */
  isOver: boolean;
  first: Buffer;
  last: Buffer;
}

/** Begins a large body. */
export function beginLargeBody(options: LargeBodyOptions): LargeBody {
  const { writer, signature, secrets } = options;
  const body: Arriving = {
    ...options,
    verifying: verifyArriving(signature, secrets),
    hash: createHash('sha256'),
    pieces: [],
    waitingBytes: 0,
    writing: undefined,
    isOver: false,
    first: Buffer.alloc(0),
    last: Buffer.alloc(0),
  };
  return {
    add(piece) {
      if (body.isOver) return false;
      body.pieces.push(piece);
      body.waitingBytes += piece.length;
      if (body.writing === undefined) write(body);
      return body.waitingBytes >= SLICE_BYTES || body.pieces.length >= MAX_PIECES;
    },
    isBusy: () => body.writing !== undefined,
    written: async () => body.writing,
    verdict: () => body.verifying.verdict(),
    ends: () => `${body.first.toString()}${body.last.toString()}`,
    bytes: () => writer.bytes,
    head: (bytes) => writer.head(bytes),
    async keep(receipt) {
      // Its file is removed, or will be: what is kept now would be a part of the body.
      if (body.isOver) throw new SpoolError('failed', 'The body was given up before it was kept.');
      body.isOver = true;
      const sha256 = body.hash.digest('hex');
      return writer.keep({ ...receipt, sha256, eventId: keyOfHash(sha256), bytes: writer.bytes });
    },
    discard() {
      if (body.isOver) return;
      body.isOver = true;
      body.pieces = [];
      void writer.discard();
    },
  };
}

function write(body: Arriving): void {
  body.writing = writeAll(body);
  // Who waits for it gets the error; nobody may wait.
  body.writing.catch(() => undefined);
}

async function writeAll(body: Arriving): Promise<void> {
  const { slices, writer, onWritten, onError } = body;
  try {
    while (body.pieces.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- piece after piece
      await slices.next();
      if (body.isOver) return;
      const piece = takeSlice(body);
      hashPiece(body, piece);
      // oxlint-disable-next-line no-await-in-loop -- piece after piece
      await writer.write(piece);
    }
  } catch (error) {
    if (!body.isOver) onError(error);
    throw error;
  }
  body.writing = undefined;
  if (!body.isOver) onWritten();
}

/** Takes as many pieces as make up a slice, joined. */
function takeSlice(body: Arriving): Buffer {
  const { pieces } = body;
  let [count, bytes] = [0, 0];
  while (count < pieces.length && bytes < SLICE_BYTES) bytes += pieces[count++]?.length ?? 0;
  const [first, ...others] = pieces.splice(0, count);
  body.waitingBytes -= bytes;
  if (first === undefined || others.length === 0) return first ?? Buffer.alloc(0);
  return Buffer.concat([first, ...others], bytes);
}

function hashPiece(body: Arriving, piece: Buffer): void {
  body.verifying.update(piece);
  body.hash.update(piece);
  const { first, last } = body;
  if (first.length < END_BYTES) body.first = Buffer.concat([first, piece.subarray(0, END_BYTES - first.length)]);
  // A copy: a part would keep the whole piece in memory.
  body.last =
    piece.length < END_BYTES
      ? Buffer.concat([last, piece]).subarray(-END_BYTES)
      : Buffer.from(piece.subarray(-END_BYTES));
}
