import { crc32 } from 'node:zlib';
import { bodyLength, fieldsOf, writeBody, type Delivery, type DeliveryBody } from '@landline/webhook/delivery';
import { unpackEvents, type PackedEvents } from '@landline/webhook/packed-events';
import { z } from 'zod';

/** A group of deliveries from the journal. */
export interface JournalRecord {
  /** The time of writing, in unix milliseconds. */
  at: number;
  /** The deliveries with all their fields, also those that this version does not know. */
  events: Delivery[];
  /** The bytes of the record; of a packed one, those it would have if it were not packed. */
  bytes: number;
}

/**
 * The header of a record, in bytes. Numbers are little-endian. A record is, in this order:
 *
 * 1. the header: `LLR1`, the length after the header, the checksum, the length of the fields, the time (double);
 * 2. the fields of its events, as a list in JSON;
 * 3. the bodies of its events, as bytes.
 *
 * A packed record has the numbers of `PackedEvents` in place of the fields, and `packed` in place of the bodies. A process of a version that
 * does not know it cannot read its segment, and leaves the segment to others.
 */
export const RECORD_HEADER_BYTES = 24;

/** The first bytes of every record. The reader finds the next record after damage by them. */
export const RECORD_MAGIC = Buffer.from('LLR1', 'latin1');

const AT = { length: 4, checksum: 8, fields: 12, time: 16 } as const;

/** A record that is not written yet. */
export interface UnsealedRecord {
  /** What follows the fields: the body of each event, or all of them packed. */
  rest: readonly (DeliveryBody | Buffer)[];
  /** The size of each of them, in bytes. */
  sizes: readonly number[];
  /** The fields of the events, or the sizes of packed ones, as JSON. */
  fields: string;
  fieldBytes: number;
  /** The size of the whole record, in bytes. */
  length: number;
}

/**
 * Makes the record of a group without its time and checksum. Its length is known before the room for it is reserved.
 *
 * @param packed  The same events, where they are packed.
 */
export function beginRecord(events: readonly Delivery[], packed?: PackedEvents): UnsealedRecord {
  if (packed !== undefined) return unsealed([packed.packed], [packed.packed.length], factsOf(packed));
  const sizes = events.map(bodyLength);
  return unsealed(
    events,
    sizes,
    events.map((event, i) => fieldsOf(event, sizes[i])),
  );
}

function factsOf({ bytes, fieldBytes, crc32: checksum }: PackedEvents): object {
  return { bytes, fieldBytes, crc32: checksum };
}

function unsealed(rest: UnsealedRecord['rest'], sizes: readonly number[], facts: object): UnsealedRecord {
  const fields = JSON.stringify(facts);
  const fieldBytes = Buffer.byteLength(fields);
  const length = sizes.reduce((sum, size) => sum + size, RECORD_HEADER_BYTES + fieldBytes);
  return { rest, sizes, fields, fieldBytes, length };
}

/**
 * Encodes a record.
 *
 * @param at    Unix milliseconds.
 * @param seed  The segment's own number. Because of it, a body that holds the bytes of a record never passes for one.
 */
export function sealRecord(
  { rest, sizes, fields, fieldBytes, length }: UnsealedRecord,
  at: number,
  seed: number,
): Buffer {
  const record = Buffer.allocUnsafe(length);
  RECORD_MAGIC.copy(record);
  record.writeUInt32LE(length - RECORD_HEADER_BYTES, AT.length);
  record.writeUInt32LE(fieldBytes, AT.fields);
  record.writeDoubleLE(at, AT.time);
  let offset = RECORD_HEADER_BYTES + record.write(fields, RECORD_HEADER_BYTES);
  rest.forEach((each, i) => {
    if (Buffer.isBuffer(each)) each.copy(record, offset);
    else writeBody(each, record, offset);
    offset += sizes[i] ?? 0;
  });
  record.writeUInt32LE(checksumOf(record, seed), AT.checksum);
  return record;
}

/**
 * Returns the length of the record at the beginning of `bytes`, header included; undefined where no record begins.
 *
 * @param bytes  At least a header.
 */
export function recordLength(bytes: Buffer): number | undefined {
  if (bytes.length < RECORD_HEADER_BYTES || !bytes.subarray(0, RECORD_MAGIC.length).equals(RECORD_MAGIC))
    return undefined;
  return RECORD_HEADER_BYTES + bytes.readUInt32LE(AT.length);
}

/**
 * Returns whether a record begins here and the file ends before the record does: its process died while writing.
 *
 * @param bytes   Up to a header of it.
 * @param length  The number of bytes up to the file's end.
 */
export function isCutOff(bytes: Buffer, length: number): boolean {
  if (length >= RECORD_HEADER_BYTES) return (recordLength(bytes) ?? 0) > length;
  const magic = Math.min(length, RECORD_MAGIC.length);
  return bytes.subarray(0, magic).equals(RECORD_MAGIC.subarray(0, magic));
}

/** Returns whether a record, cut to the length in its header, has its checksum. */
export function isIntact(record: Buffer, seed: number): boolean {
  return record.readUInt32LE(AT.checksum) === checksumOf(record, seed);
}

/** Returns the time of a record's writing, in unix milliseconds. */
export function timeOf(record: Buffer): number {
  return record.readDoubleLE(AT.time);
}

const packedSchema = z.object({
  bytes: z.int().nonnegative(),
  fieldBytes: z.int().nonnegative(),
  crc32: z.int().nonnegative(),
});

/** Decodes an intact record. @throws an Error where the record is of a version that this one does not know */
export function decodeRecord(record: Buffer): JournalRecord {
  let offset = RECORD_HEADER_BYTES + record.readUInt32LE(AT.fields);
  const fields: unknown = JSON.parse(record.toString('utf8', RECORD_HEADER_BYTES, offset));
  const { success, data: facts } = packedSchema.safeParse(fields);
  if (success) {
    const events = unpackEvents({ ...facts, packed: record.subarray(offset) });
    return { at: timeOf(record), events, bytes: RECORD_HEADER_BYTES + facts.bytes };
  }
  if (!Array.isArray(fields)) throw new Error('The fields of a journal record are no list.');
  const events = fields.map(({ bytes, ...rest }: Omit<Delivery, 'body'> & { bytes: number }) => {
    const body = record.toString(rest.encoding, offset, (offset += bytes));
    return { ...rest, body };
  });
  return { at: timeOf(record), events, bytes: record.length };
}

function checksumOf(record: Buffer, seed: number): number {
  const header = crc32(
    record.subarray(AT.fields, RECORD_HEADER_BYTES),
    crc32(record.subarray(AT.length, AT.checksum), seed),
  );
  return crc32(record.subarray(RECORD_HEADER_BYTES), header);
}
