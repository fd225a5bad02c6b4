import { createHash } from 'node:crypto';
import type { PutOptions } from '../../../src/storage/storage.ts';

const PART = 64 * 1024;

/** A content for a test, and how often it was opened. */
export interface TestContent extends PutOptions {
  opened: number;
}

/** Makes a content of so many bytes. Another seed gives another content. It is made anew at each reading, and never held. */
export function contentOf(bytes: number, { key = KEY, seed = 1 }: { key?: string; seed?: number } = {}): TestContent {
  const content: TestContent = {
    key,
    bytes,
    sha256: hashOf(bytes, seed),
    contentType: 'audio/mpeg',
    opened: 0,
    open: () => {
      content.opened += 1;
      return partsOf(bytes, seed);
    },
  };
  return content;
}

export const KEY = 'agent_1/2026/03/01/conv_1.mp3';

/** Yields the parts of a content. */
export async function* partsOf(bytes: number, seed = 1): AsyncGenerator<Buffer> {
  yield* syncPartsOf(bytes, seed);
}

function* syncPartsOf(bytes: number, seed: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += PART) {
    const part = Buffer.alloc(Math.min(PART, bytes - at), seed);
    part.writeUInt8((at / PART) % 251, 0);
    yield part;
  }
}

function hashOf(bytes: number, seed: number): string {
  const hash = createHash('sha256');
  for (const part of syncPartsOf(bytes, seed)) hash.update(part);
  return hash.digest('hex');
}

/** Reads everything, and returns its size and its hash. */
export async function factsOf(parts: AsyncIterable<Buffer>): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of parts) {
    bytes += part.length;
    hash.update(part);
  }
  return { bytes, sha256: hash.digest('hex') };
}
