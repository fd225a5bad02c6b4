/**
 * The header of a segment's file, in bytes: `LLJ1`, the format's version, and the segment's seed for its checksums;
 * little-endian.
 */
export const SEGMENT_HEADER_BYTES = 12;
const MAGIC = Buffer.from('LLJ1', 'latin1');
const VERSION = 1;
const AT = { version: 4, seed: 8 } as const;

/**
 * The names of segment files: the time of their beginning in unix milliseconds, a number, and the process. They sort by
 * age.
 */
export const SEGMENT_FILE = /^(\d{15})-\d{6}-([0-9a-f]+)\.log$/;

/** Part of the name of a file of damaged bytes, before their offset in the segment. */
const DAMAGED = '.damaged-';

/**
 * Returns the name of a segment's file.
 *
 * @param number  Distinguishes segments that begin in the same millisecond.
 */
export function segmentFileName(owner: string, at: number, number: number): string {
  return `${String(at).padStart(15, '0')}-${String(number % 1_000_000).padStart(6, '0')}-${owner}.log`;
}

/** Returns the path of the file that keeps damaged bytes of a segment, which were at `offset`. */
export function damagedFileOf(segmentPath: string, offset: number): string {
  return `${segmentPath}${DAMAGED}${offset}`;
}

/** Returns whether a folder with these names has files that must stay: segments, or damaged bytes of one. */
export function hasFilesToKeep(names: readonly string[]): boolean {
  return names.some((name) => SEGMENT_FILE.test(name) || name.includes(DAMAGED));
}

/** Encodes the header of a segment's file. */
export function encodeSegmentHeader(seed: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(VERSION, AT.version);
  header.writeUInt32LE(seed, AT.seed);
  return header;
}

/** Reads the seed in a file's first bytes; undefined where they are no segment header. */
export function seedIn(header: Buffer): number | undefined {
  if (header.length < SEGMENT_HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  return header.readUInt32LE(AT.version) === VERSION ? header.readUInt32LE(AT.seed) : undefined;
}
