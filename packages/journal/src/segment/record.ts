import { crc32 } from 'node:zlib';
import { bodyLength, type Delivery } from '@landline/webhook/delivery';

/** A group of deliveries from the journal. */
export interface JournalRecord {
  /** The time of writing, in unix milliseconds. */
  at: number;
  /** The deliveries with all their fields, also those that this version does not know. */
  events: Delivery[];
}

/**
 * The header of a record, in bytes. Numbers are little-endian. A record is, in this order:
 *
 * 1. the header: `LLR1`, the length after the header, the checksum, the length of the fields, the time (double);
 * 2. the fields of its events, as JSON;
 * 3. the bodies of its events, as bytes.
 */
export const RECORD_HEADER_BYTES = 24;

/** The first bytes of every record. The reader finds the next record after damage by them. */
export const RECORD_MAGIC = Buffer.from('LLR1', 'latin1');

const AT = { length: 4, checksum: 8, fields: 12, time: 16 } as const;

/** A record that is not written yet. */
export interface UnsealedRecord {
  events: readonly Delivery[];
  /** The size of each event's body, in bytes. */
  sizes: readonly number[];
  /** The fields of the events, as JSON. */
  fields: string;
  fieldBytes: number;
  /** The size of the whole record, in bytes. */
  length: number;
}

/**
 * Makes the record of a group without its time and checksum. Its length is known before the room for it is reserved.
 */
export function beginRecord(events: readonly Delivery[]): UnsealedRecord {
  const sizes = events.map(bodyLength);
  const fields = JSON.stringify(events.map((event, i) => ({ ...event, body: undefined, bytes: sizes[i] })));
  const fieldBytes = Buffer.byteLength(fields);
  const length = sizes.reduce((sum, size) => sum + size, RECORD_HEADER_BYTES + fieldBytes);
  return { events, sizes, fields, fieldBytes, length };
}

/**
 * Encodes a record.
 *
 * @param at    Unix milliseconds.
 * @param seed  The segment's own number. Because of it, a body that holds the bytes of a record never passes for one.
 */
export function sealRecord(
  { events, sizes, fields, fieldBytes, length }: UnsealedRecord,
  at: number,
  seed: number,
): Buffer {
  const record = Buffer.allocUnsafe(length);
  RECORD_MAGIC.copy(record);
  record.writeUInt32LE(length - RECORD_HEADER_BYTES, AT.length);
  record.writeUInt32LE(fieldBytes, AT.fields);
  record.writeDoubleLE(at, AT.time);
  let offset = RECORD_HEADER_BYTES + record.write(fields, RECORD_HEADER_BYTES);
  events.forEach(({ body, encoding }, i) => {
    record.write(body, offset, encoding);
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

/** Decodes an intact record. */
export function decodeRecord(record: Buffer): JournalRecord {
  let offset = RECORD_HEADER_BYTES + record.readUInt32LE(AT.fields);
  const fields: unknown = JSON.parse(record.toString('utf8', RECORD_HEADER_BYTES, offset));
  if (!Array.isArray(fields)) throw new Error('The fields of a journal record are no list.');
  const events = fields.map(({ bytes, ...rest }: Omit<Delivery, 'body'> & { bytes: number }) => {
    const body = record.toString(rest.encoding, offset, (offset += bytes));
    return { ...rest, body };
  });
  return { at: timeOf(record), events };
}

function checksumOf(record: Buffer, seed: number): number {
  const header = crc32(
    record.subarray(AT.fields, RECORD_HEADER_BYTES),
    crc32(record.subarray(AT.length, AT.checksum), seed),
  );
  return crc32(record.subarray(RECORD_HEADER_BYTES), header);
}
