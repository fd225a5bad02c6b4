import { createHash } from 'node:crypto';
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

/** Begins a large body. */
export function beginLargeBody(options: LargeBodyOptions): LargeBody {
  const { writer, signature, secrets, slices, onWritten, onError } = options;
  const verifying = verifyArriving(signature, secrets);
  const hash = createHash('sha256');
  const pieces: Buffer[] = [];
  let writing: Promise<void> | undefined;
  let isOver = false;
  let first = Buffer.alloc(0);
  let last = Buffer.alloc(0);

  async function writeAll(): Promise<void> {
    for (let piece = pieces.shift(); piece !== undefined && !isOver; piece = pieces.shift()) {
      // oxlint-disable-next-line no-await-in-loop -- piece after piece
      await slices.next();
      if (isOver) return;
      verifying.update(piece);
      hash.update(piece);
      if (first.length < END_BYTES) first = Buffer.concat([first, piece.subarray(0, END_BYTES - first.length)]);
      last = piece.length >= END_BYTES ? Buffer.from(piece.subarray(-END_BYTES)) : lastOf(last, piece);
      await writer.write(piece);
    }
  }

  function write(): void {
    writing = writeAll().then(
      () => {
        writing = undefined;
        if (!isOver) onWritten();
      },
      (error: unknown) => {
        if (!isOver) onError(error);
        throw error;
      },
    );
    // Who waits for it gets the error; nobody may wait.
    writing.catch(() => undefined);
  }

  return {
    add(piece) {
      if (isOver) return;
      pieces.push(piece);
      if (writing === undefined) write();
    },
    isBusy: () => writing !== undefined,
    written: async () => writing,
    verdict: () => verifying.verdict(),
    ends: () => `${first.toString()}${last.toString()}`,
    keep(facts) {
      isOver = true;
      const sha256 = hash.digest('hex');
      return writer.keep({ ...facts, sha256, eventId: keyOfHash(sha256), bytes: writer.bytes });
    },
    discard() {
      if (isOver) return;
      isOver = true;
      pieces.length = 0;
      void writer.discard();
    },
  };
}

function lastOf(last: Buffer, piece: Buffer): Buffer<ArrayBuffer> {
  return Buffer.concat([last, piece]).subarray(-END_BYTES);
}
