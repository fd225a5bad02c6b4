import { brotliCompressSync, brotliDecompressSync, constants, crc32, type BrotliOptions } from 'node:zlib';
import { z } from 'zod';
import { bodyLength, fieldsOf, writeBody, type Delivery } from './delivery.ts';

/**
 * Deliveries in few bytes. `packed` is Brotli of the following:
 *
 * 1. the fields of the deliveries, as a list in JSON, with `bytes`, the size of the body, in place of `body`;
 * 2. the bodies, as bytes, one after the other.
 *
 * `bytes` is how many bytes were packed, and `crc32` their checksum, because Brotli has none. `fieldBytes` is how many of them are the fields.
 */
export interface PackedEvents {
  bytes: number;
  fieldBytes: number;
  crc32: number;
  packed: Buffer;
}

/**
 * From so many bytes of bodies on, a group is packed: 16 KiB. To begin a pack costs as much as to write some KiB plain, so small groups
 * of live events would get slower.
 */
const PACKED_GROUP_BYTES = 16_384;

/** Bodies of so many bytes on average are packed in any group: 4 KiB. */
const PACKED_BODY_BYTES = 4096;

/** Bodies of more bytes are not packed: a mebibyte. To pack them would hold up other work for milliseconds. */
const MOST_PACKED_BYTES = 1_048_576;

/** Bodies and fields have no more bytes than this when they are unpacked: 4 MiB. What says otherwise is damaged. */
export const MOST_UNPACKED_BYTES = 4 * MOST_PACKED_BYTES;

/** Brotli looks this far back for what repeats, at most, as a power of two bytes: a mebibyte. */
const LARGEST_WINDOW = 20;

/** The smallest window that is tried, in the same way. */
const SMALLEST_WINDOW = 16;

/** The least and the most memory that a result is given at once, in bytes. */
const LEAST_CHUNK_BYTES = 16_384;
const MOST_CHUNK_BYTES = 1_048_576;

/** The most memory that is kept from one pack for the next, in bytes: the most bodies, and their fields. */
const MOST_LENT_BYTES = 2 * MOST_PACKED_BYTES;

/**
 * Packs events where that is worth it; a mebibyte takes one to four milliseconds. Returns undefined where the events are better written
 * as they are.
 *
 * @param bytes  Of the bodies.
 */
export function packEvents(events: readonly Delivery[], bytes: number): PackedEvents | undefined {
  if (bytes > MOST_PACKED_BYTES || (bytes < PACKED_GROUP_BYTES && bytes < PACKED_BODY_BYTES * events.length))
    return undefined;
  try {
    const { raw, fieldBytes } = joinEvents(events);
    if (raw.length > MOST_UNPACKED_BYTES) return undefined;
    const packed = own(brotliCompressSync(raw, optionsFor(raw.length)));
    return { bytes: raw.length, fieldBytes, crc32: crc32(raw), packed };
  } catch {
    // No memory, say. To write them as they are takes less of it.
    return undefined;
  }
}

/** Returns bytes in memory of their own where they fill less than half of what the compressor gave them. */
function own(packed: Buffer): Buffer {
  if (packed.length * 2 >= packed.buffer.byteLength) return packed;
  const copy = Buffer.allocUnsafeSlow(packed.length);
  packed.copy(copy);
  return copy;
}

let lent = Buffer.alloc(0);

/** Lends memory until the next call. New memory for each group would cost as much as to fill it. */
function borrow(bytes: number): Buffer {
  if (bytes > MOST_LENT_BYTES) return Buffer.allocUnsafe(bytes);
  if (bytes > lent.length) lent = Buffer.allocUnsafeSlow(Math.min(MOST_LENT_BYTES, bytes * 2));
  return lent.subarray(0, bytes);
}

/** Writes fields and bodies one after the other. */
function joinEvents(events: readonly Delivery[]): { raw: Buffer; fieldBytes: number } {
  const sizes = events.map(bodyLength);
  const fields = JSON.stringify(events.map((event, i) => fieldsOf(event, sizes[i])));
  const fieldBytes = Buffer.byteLength(fields);
  const raw = borrow(sizes.reduce((sum, size) => sum + size, fieldBytes));
  let at = raw.write(fields);
  for (const event of events) at += writeBody(event, raw, at);
  return { raw, fieldBytes };
}

/** The fastest quality: the next one costs half as much again, and saves a tenth of the result. */
function optionsFor(bytes: number): BrotliOptions {
  const window = Math.max(SMALLEST_WINDOW, Math.min(LARGEST_WINDOW, Math.ceil(Math.log2(bytes))));
  return {
    chunkSize: chunkFor(bytes >> 2),
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MIN_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: window,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes,
    },
  };
}

function chunkFor(bytes: number): number {
  return Math.max(LEAST_CHUNK_BYTES, Math.min(MOST_CHUNK_BYTES, bytes));
}

const fieldsSchema = z.array(z.object({ encoding: z.enum(['utf8', 'base64']), bytes: z.int().nonnegative() }));

/** Checks what unpacking needs. Who applies the events judges the other fields, as it does for events that were never packed. */
function areFields(value: unknown): value is (Omit<Delivery, 'body'> & { bytes: number })[] {
  return fieldsSchema.safeParse(value).success;
}

/**
 * Returns the events with all their fields, also those that this version does not know. The fields are as they were packed, and may be those
 * of another version.
 *
 * @throws  Error where the packed events are damaged.
 */
export function unpackEvents({ bytes, fieldBytes, crc32: checksum, packed }: PackedEvents): Delivery[] {
  if (bytes > MOST_UNPACKED_BYTES)
    throw new Error(`Packed events have ${bytes} bytes: more than ${MOST_UNPACKED_BYTES}.`);
  const raw = brotliDecompressSync(packed, { maxOutputLength: Math.max(1, bytes), chunkSize: chunkFor(bytes) });
  if (raw.length !== bytes || crc32(raw) !== checksum) throw new Error('Packed events are damaged.');
  let at = fieldBytes;
  const fields: unknown = JSON.parse(raw.toString('utf8', 0, at));
  if (!areFields(fields)) throw new Error('The fields of packed events are no list of fields.');
  const events = fields.map(({ bytes: length, ...rest }) => ({
    ...rest,
    body: raw.toString(rest.encoding, at, (at += length)),
  }));
  if (at !== bytes) throw new Error(`Packed bodies end at ${at} and not at ${bytes}.`);
  return events;
}
