/**
 * Reads a range of a spooled body.
 *
 * @param from  The offset of the first byte.
 * @param to    The offset behind the last byte.
 * @returns     The bytes, in chunks of any size.
 */
export type ReadRange = (from: number, to: number) => AsyncIterable<Buffer>;

/** A body that is read from a file, never whole. */
export interface SplitSource {
  /** The length of the body, in bytes. */
  bytes: number;
  read: ReadRange;
  /** The signature's `t`, unix seconds. */
  signedAt: number;
  /** The idempotency key of the whole body. */
  eventId: string;
}

/** A part of a body: the offset of its first byte, and the offset behind its last byte. */
export interface ByteRange {
  from: number;
  to: number;
}
