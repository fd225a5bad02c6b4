import { hash } from 'node:crypto';

/** The block of SHA-256, in bytes. */
const BLOCK_BYTES = 64;

/** The result of SHA-256, in bytes. */
const DIGEST_BYTES = 32;

/** The longest timestamp and the dot behind it, in bytes. */
const TIMESTAMP_BYTES = 13;

/** The largest body that `smallDigest` takes, in bytes: 16 KiB. A larger one takes longer to copy than an Hmac takes to begin. */
export const SMALL_DIGEST_BYTES = 16_384;

/** Memory for one secret. It begins with the key, as RFC 2104 pads it for the inner and for the outer hash. */
interface Padded {
  inner: Buffer;
  outer: Buffer;
  digest: Buffer;
}

const padded = new Map<string, Padded>();

/**
 * Computes the same as `signatureDigest`, for the pieces of a small body. Node's Hmac takes longer to begin and to end than to hash a live
 * event: 3.1 us, where two hashes of bytes in a row take 1.3 us.
 *
 * @param timestamp  At most twelve digits.
 * @returns          32 bytes, which the next call overwrites.
 */
export function smallDigest(pieces: readonly Uint8Array[], secret: string, timestamp: string): Buffer {
  const { inner, outer, digest } = padded.get(secret) ?? pad(secret);
  let end = BLOCK_BYTES + inner.write(`${timestamp}.`, BLOCK_BYTES, 'latin1');
  for (const piece of pieces) {
    inner.set(piece, end);
    end += piece.length;
  }
  outer.write(hash('sha256', inner.subarray(0, end), 'hex'), BLOCK_BYTES, 'hex');
  digest.write(hash('sha256', outer, 'hex'), 'hex');
  return digest;
}

function pad(secret: string): Padded {
  const bytes = Buffer.from(secret);
  const key = bytes.length > BLOCK_BYTES ? Buffer.from(hash('sha256', bytes, 'hex'), 'hex') : bytes;
  const made: Padded = {
    inner: Buffer.alloc(BLOCK_BYTES + TIMESTAMP_BYTES + SMALL_DIGEST_BYTES),
    outer: Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES),
    digest: Buffer.alloc(DIGEST_BYTES),
  };
  for (let i = 0; i < BLOCK_BYTES; i++) {
    made.inner[i] = (key[i] ?? 0) ^ 0x36;
    made.outer[i] = (key[i] ?? 0) ^ 0x5c;
  }
  padded.set(secret, made);
  return made;
}
