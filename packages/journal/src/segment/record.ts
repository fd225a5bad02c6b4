import { crc32 } from 'node:zlib';
import { bodyLength, type Delivery } from '@landline/webhook/delivery';

/** A group of deliveries as it was read back. */
export interface JournalRecord {
  /** When it was written, in unix milliseconds. */
  at: number;
  /** With all their fields, known to this version or not. */
  events: Delivery[];
}

/**
 * A record: `LLR1`, the length of what follows the header, the checksum, the length of the fields, the time (double);
 * then the fields of its events as JSON, then their bodies as bytes. Numbers are little-endian.
 */
export const RECORD_HEADER_BYTES = 24;

/** Begins every record; what comes after damage is found by it. */
export const RECORD_MAGIC = Buffer.from('LLR1', 'latin1');

const AT = { length: 4, checksum: 8, fields: 12, time: 16 } as const;

/** A record that waits to be written. */
export interface UnsealedRecord {
  events: readonly Delivery[];
  /** Of each event's body, in bytes. */
  sizes: readonly number[];
  /** As JSON. */
  fields: string;
  fieldBytes: number;
  /** Of the whole record, in bytes. */
  length: number;
}

/** Makes a record of a group, all but its time and its checksum: its length is known before there is a place for it. */
export function beginRecord(events: readonly Delivery[]): UnsealedRecord {
  const sizes = events.map(bodyLength);
  const fields = JSON.stringify(events.map((event, i) => ({ ...event, body: undefined, bytes: sizes[i] })));
  const fieldBytes = Buffer.byteLength(fields);
  const length = sizes.reduce((sum, size) => sum + size, RECORD_HEADER_BYTES + fieldBytes);
  return { events, sizes, fields, fieldBytes, length };
}

/**
 * Writes a record.
 *
 * @param at    Unix milliseconds.
 * @param seed  The segment's own number: a body that holds the bytes of a record is never taken for one.
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
 * How long the record at the beginning of `bytes` is, header included, as its header says; undefined where no record begins.
 *
 * @param bytes  At least a header.
 */
export function recordLength(bytes: Buffer): number | undefined {
  if (bytes.length < RECORD_HEADER_BYTES || !bytes.subarray(0, RECORD_MAGIC.length).equals(RECORD_MAGIC))
    return undefined;
  return RECORD_HEADER_BYTES + bytes.readUInt32LE(AT.length);
}

/**
 * Whether a record begins here that ends behind the end of its file: its process died while it wrote.
 *
 * @param bytes   Up to a header of it.
 * @param length  How many bytes there are up to the end.
 */
export function isCutOff(bytes: Buffer, length: number): boolean {
  if (length >= RECORD_HEADER_BYTES) return (recordLength(bytes) ?? 0) > length;
  const magic = Math.min(length, RECORD_MAGIC.length);
  return bytes.subarray(0, magic).equals(RECORD_MAGIC.subarray(0, magic));
}

/** Whether `record`, of the length that its header says, is as it was written. */
export function isIntact(record: Buffer, seed: number): boolean {
  return record.readUInt32LE(AT.checksum) === checksumOf(record, seed);
}

/** When a record was written, in unix milliseconds. */
export function timeOf(record: Buffer): number {
  return record.readDoubleLE(AT.time);
}

/** Reads an intact record. */
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
