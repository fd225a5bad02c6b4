import type { FileHandle } from 'node:fs/promises';
import { isCutOff, isIntact, RECORD_HEADER_BYTES, RECORD_MAGIC, recordLength } from './record.ts';

/** A part of a segment: a record, or damaged bytes. `isTorn`: the bytes are a record without its end. */
export type Found =
  | { kind: 'record'; from: number; to: number; record: Buffer }
  | { kind: 'damage'; from: number; to: number; isTorn: boolean };

/**
 * The size of one read, in bytes. A larger record is read by itself. A smaller size costs more calls, a larger one more
 * memory.
 */
const CHUNK_BYTES = 1024 * 1024;

/**
 * Yields the records and damaged parts of a segment from `from` up to `to`, in order. After damage it continues at the
 * next intact record.
 *
 * @param seed  The segment's seed, see `sealRecord`.
 */
export async function* readRecords(
  handle: FileHandle,
  { from, to, seed }: { from: number; to: number; seed: number },
): AsyncGenerator<Found> {
  const read = windowOf(handle, to);
  for (let offset = from; offset < to;) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const record = await recordAt(read, offset, { to, seed });
    if (record !== undefined) {
      yield { kind: 'record', from: offset, to: offset + record.length, record };
      offset += record.length;
      continue;
    }
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const next = await findRecord(read, offset + 1, { to, seed });
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const isTorn = next === undefined && isCutOff(await read(offset, RECORD_HEADER_BYTES), to - offset);
    yield { kind: 'damage', from: offset, to: next ?? to, isTorn };
    offset = next ?? to;
  }
}

/** Reads `length` bytes from `offset` on, or as many as there are. */
type Read = (offset: number, length: number) => Promise<Buffer>;

/** Makes a reader that reads ahead, so that small records do not cost a call each. */
function windowOf(handle: FileHandle, to: number): Read {
  let start = 0;
  let bytes: Buffer = Buffer.alloc(0);
  return async (offset, length) => {
    const wanted = Math.min(length, to - offset);
    if (offset < start || offset + wanted > start + bytes.length) {
      bytes = await readAt(handle, offset, Math.min(Math.max(wanted, CHUNK_BYTES), to - offset));
      start = offset;
    }
    return bytes.subarray(offset - start, offset - start + wanted);
  };
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

interface Bounds {
  to: number;
  seed: number;
}

async function recordAt(read: Read, offset: number, { to, seed }: Bounds): Promise<Buffer | undefined> {
  const length = recordLength(await read(offset, RECORD_HEADER_BYTES));
  if (length === undefined || offset + length > to) return undefined;
  const record = await read(offset, length);
  return record.length === length && isIntact(record, seed) ? record : undefined;
}

async function findRecord(read: Read, offset: number, bounds: Bounds): Promise<number | undefined> {
  for (let at = offset; at < bounds.to;) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const bytes = await read(at, CHUNK_BYTES);
    // The file is shorter than `to`: another program has cut it.
    if (bytes.length < RECORD_MAGIC.length) return undefined;
    const index = bytes.indexOf(RECORD_MAGIC);
    if (index < 0) {
      // The magic may cross the edge of two reads.
      at += bytes.length - RECORD_MAGIC.length + 1;
      continue;
    }
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    if ((await recordAt(read, at + index, bounds)) !== undefined) return at + index;
    at += index + 1;
  }
  return undefined;
}
