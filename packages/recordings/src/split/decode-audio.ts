import { createHash } from 'node:crypto';
import { Base64Text } from './base64-text.ts';
import { readSteps } from './read-steps.ts';
import type { ByteRange, SplitSource } from './split-source.ts';

/** The audio of a body, decoded. */
export interface DecodedAudio {
  /** The length of the decoded audio, in bytes. */
  bytes: number;
  /** Of the decoded audio, in hex. */
  sha256: string;
  /** Whether `Buffer.toString('base64')` of the audio gives the raw text of the string back, byte for byte. */
  isCanonical: boolean;
}

/**
 * Decodes the audio of a body, a step at a time.
 *
 * @param range  The raw text of the string, quotes excluded; `splitBody` found it.
 * @returns      The bytes of the audio, in chunks.
 * @throws       {AudioTextError} for a text that is no base64. `splitBody` makes a fault of such a text.
 */
export function decodeAudio(source: SplitSource, range: ByteRange): AsyncIterable<Buffer> {
  return decodeText(source, range, new Base64Text());
}

/**
 * Decodes the audio of a body once, and keeps only its length and its hash.
 *
 * @throws  {AudioTextError} for a text that is no base64.
 */
export async function measureAudio(source: SplitSource, range: ByteRange): Promise<DecodedAudio> {
  const text = new Base64Text();
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const decoded of decodeText(source, range, text)) {
    hash.update(decoded);
    bytes += decoded.length;
  }
  return { bytes, sha256: hash.digest('hex'), isCanonical: text.isCanonical };
}

async function* decodeText(source: SplitSource, range: ByteRange, text: Base64Text): AsyncGenerator<Buffer> {
  for await (const piece of readSteps(source, range)) {
    const decoded = text.push(piece);
    if (decoded.length > 0) yield decoded;
  }
  const last = text.end();
  if (last.length > 0) yield last;
}
