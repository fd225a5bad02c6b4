import { brotliCompress, brotliCompressSync, brotliDecompressSync, constants, type BrotliOptions } from 'node:zlib';
import { promisify } from 'node:util';
import { bodyLength, type Delivery } from '@landline/webhook/delivery';
import { z } from 'zod';
import type { Job } from './job.ts';

const compress = promisify(brotliCompress);

/**
 * A job whose events are packed: version 2 of a job's data. A worker of an earlier version leaves it in `failed`, whole.
 *
 * `packed` is base64 of Brotli of the following:
 *
 * 1. the fields of the events, as a list in JSON: those of version 1, but with `bytes`, the size of the body, for `body`;
 * 2. the bodies of the events, as bytes, one after the other.
 */
export const packedJobSchema = z.object({
  v: z.literal(2),
  /** How many bytes were packed. */
  bytes: z.int().nonnegative(),
  /** How many of them are the fields. */
  fieldBytes: z.int().nonnegative(),
  packed: z.string(),
});

/** A job whose events are packed; see `packedJobSchema`. */
export type PackedJob = z.infer<typeof packedJobSchema>;

/** Brotli looks this far back for what repeats, at most, as a power of two bytes: a mebibyte. */
const LARGEST_WINDOW = 20;

/** Brotli's smallest window that is worth the memory, in the same way. */
const SMALLEST_WINDOW = 16;

/** The least and the most memory that Brotli's result is given at once, in bytes. */
const LEAST_CHUNK_BYTES = 16_384;
const MOST_CHUNK_BYTES = 1_048_576;

/** Packs the events of a job. Returns the job's data as JSON in UTF-8. */
export function packEvents(events: readonly Delivery[]): Buffer {
  const { raw, fieldBytes } = joinEvents(events);
  return packedJson(brotliCompressSync(raw, optionsFor(raw.length)), { bytes: raw.length, fieldBytes });
}

/** Packs as `packEvents` does, on another thread: megabytes would hold up the events beside them. */
export async function packLargeEvents(events: readonly Delivery[]): Promise<Buffer> {
  const { raw, fieldBytes } = joinEvents(events);
  return packedJson(await compress(raw, optionsFor(raw.length)), { bytes: raw.length, fieldBytes });
}

/** Writes fields and bodies one after the other. */
function joinEvents(events: readonly Delivery[]): { raw: Buffer; fieldBytes: number } {
  const sizes = events.map(bodyLength);
  const fields = JSON.stringify(events.map((event, i) => ({ ...event, body: undefined, bytes: sizes[i] })));
  const fieldBytes = Buffer.byteLength(fields);
  const raw = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size, fieldBytes));
  let at = raw.write(fields);
  events.forEach(({ body, encoding }, i) => {
    raw.write(body, at, encoding);
    at += sizes[i] ?? 0;
  });
  return { raw, fieldBytes };
}

/** The fastest quality: the next one costs half as much again and saves a tenth of the bytes. */
function optionsFor(bytes: number): BrotliOptions {
  const window = Math.max(SMALLEST_WINDOW, Math.min(LARGEST_WINDOW, Math.ceil(Math.log2(bytes))));
  return {
    chunkSize: Math.max(LEAST_CHUNK_BYTES, Math.min(MOST_CHUNK_BYTES, bytes >> 2)),
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MIN_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: window,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes,
    },
  };
}

function packedJson(compressed: Buffer, sizes: Pick<PackedJob, 'bytes' | 'fieldBytes'>): Buffer {
  const job: PackedJob = { v: 2, ...sizes, packed: compressed.toString('base64') };
  return Buffer.from(JSON.stringify(job), 'latin1');
}

const fieldsSchema = z.array(z.looseObject({ bytes: z.int().nonnegative(), encoding: z.enum(['utf8', 'base64']) }));

/**
 * Returns the data of a packed job in the form of version 1. Its events are not validated.
 *
 * @throws  Error where the data is damaged.
 */
export function unpackJob({ bytes, fieldBytes, packed }: PackedJob): Pick<Job, 'v'> & { events: object[] } {
  const raw = brotliDecompressSync(Buffer.from(packed, 'base64'), {
    maxOutputLength: Math.max(1, bytes),
    chunkSize: Math.max(LEAST_CHUNK_BYTES, Math.min(MOST_CHUNK_BYTES, bytes)),
  });
  if (raw.length !== bytes) throw new Error(`A packed job has ${raw.length} bytes and not ${bytes}.`);
  let at = fieldBytes;
  const fields = fieldsSchema.parse(JSON.parse(raw.toString('utf8', 0, at)));
  const events = fields.map(({ bytes: length, ...rest }) => ({
    ...rest,
    body: raw.toString(rest.encoding, at, (at += length)),
  }));
  if (at !== bytes) throw new Error(`The bodies of a packed job end at ${at} and not at ${bytes}.`);
  return { v: 1, events };
}
