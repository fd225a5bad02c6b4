/** A segment's file begins with `LLJ1`, the format's version and the segment's own number (the seed of its checksums); little-endian. */
export const SEGMENT_HEADER_BYTES = 12;
const MAGIC = Buffer.from('LLJ1', 'latin1');
const VERSION = 1;
const AT = { version: 4, seed: 8 } as const;

/** The names of segments' files: when each was begun in unix milliseconds, a number, and the process. They sort by age. */
export const SEGMENT_FILE = /^(\d{15})-\d{6}-([0-9a-f]+)\.log$/;

/** Stands in the name of a file of damaged bytes, before their place in the segment. */
const DAMAGED = '.damaged-';

/**
 * The name of a segment's file.
 *
 * @param number  Tells segments of one millisecond apart.
 */
export function segmentFileName(owner: string, at: number, number: number): string {
  return `${String(at).padStart(15, '0')}-${String(number % 1_000_000).padStart(6, '0')}-${owner}.log`;
}

/** The path of the file that keeps the bytes of a segment which stood at `offset` and are no record. */
export function damagedFileOf(segmentPath: string, offset: number): string {
  return `${segmentPath}${DAMAGED}${offset}`;
}

/** Whether a folder with these names holds something to keep: a segment, or damaged bytes of one. */
export function holdsSomething(names: readonly string[]): boolean {
  return names.some((name) => SEGMENT_FILE.test(name) || name.includes(DAMAGED));
}

/** The first bytes of a segment's file. */
export function encodeSegmentHeader(seed: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(VERSION, AT.version);
  header.writeUInt32LE(seed, AT.seed);
  return header;
}

/** The seed in the first bytes of a file; undefined where it does not begin as a segment does. */
export function seedIn(header: Buffer): number | undefined {
  if (header.length < SEGMENT_HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  return header.readUInt32LE(AT.version) === VERSION ? header.readUInt32LE(AT.seed) : undefined;
}
