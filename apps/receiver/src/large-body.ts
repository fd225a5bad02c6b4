import { createHash, type Hash } from 'node:crypto';
import type { BodyWriter, SpooledBody } from '@landline/recordings';
import { keyOfHash } from '@landline/webhook';
import { verifyArriving, type SignatureRead, type Verdict } from '@landline/webhook/verify';
import type { Slices } from './slices.ts';

/** How many bytes of either end are kept to find the event's type for the log. */
const END_BYTES = 4096;

/** A body that goes into a file of the spool while it arrives. */
export interface LargeBody {
  /** Adds a piece. */
  add(piece: Buffer): void;
  /** Whether a piece waits for the disk, so that the sender is not to blame for the time. */
  isBusy(): boolean;
  /** Resolves when all pieces are in the file. @throws SpoolError */
  written(): Promise<void>;
  /** Returns the verdict on the whole body. Call it once, after `written`. */
  verdict(): Verdict;
  /** The first and the last bytes, as text: enough to find the type that most bodies name. */
  ends(): string;
  /** Resolves when the body is on the disk for good. @throws SpoolError */
  keep(facts: { receivedAt: number; signedAt: number; secretId: string }): Promise<SpooledBody>;
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
  readonly pieces: Buffer[];
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
    writing: undefined,
    isOver: false,
    first: Buffer.alloc(0),
    last: Buffer.alloc(0),
  };
  return {
    add(piece) {
      if (body.isOver) return;
      body.pieces.push(piece);
      if (body.writing === undefined) write(body);
    },
    isBusy: () => body.writing !== undefined,
    written: async () => body.writing,
    verdict: () => body.verifying.verdict(),
    ends: () => `${body.first.toString()}${body.last.toString()}`,
    keep(facts) {
      body.isOver = true;
      const sha256 = body.hash.digest('hex');
      return writer.keep({ ...facts, sha256, eventId: keyOfHash(sha256), bytes: writer.bytes });
    },
    discard() {
      if (body.isOver) return;
      body.isOver = true;
      body.pieces.length = 0;
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
  const { pieces, slices, writer, onWritten, onError } = body;
  try {
    for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
      // oxlint-disable-next-line no-await-in-loop -- piece after piece
      await slices.next();
      if (body.isOver) return;
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
