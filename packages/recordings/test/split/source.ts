import type { SplitSource } from '../../src/split/split-source.ts';

/** Where a body is cut into chunks: every `size` bytes, or at the offsets `cuts`. */
export type Chunks = { size: number } | { cuts: readonly number[] };

/** Makes the source of a body that is held in memory. Each chunk is a buffer of its own, and is overwritten after its use. */
export function sourceOf(body: Buffer | string, chunks: Chunks = { size: 65_536 }): SplitSource {
  const bytes = Buffer.from(body);
  async function* read(from: number, to: number) {
    for (let at = from; at < to;) {
      const end = Math.min(to, nextCut(at, chunks) ?? to);
      const chunk = Buffer.from(bytes.subarray(at, end));
      yield await Promise.resolve(chunk);
      // Whoever keeps a chunk, keeps rubbish.
      chunk.fill(0xff);
      at = end;
    }
  }
  return { bytes: bytes.length, read, signedAt: 1_760_000_000, eventId: '00000000-0000-0000-0000-000000000000' };
}

function nextCut(at: number, chunks: Chunks): number | undefined {
  if ('size' in chunks) return at + chunks.size;
  return chunks.cuts.find((cut) => cut > at);
}

/** Reads chunks into one buffer. */
export async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const chunk of chunks) copies.push(Buffer.from(chunk));
  return Buffer.concat(copies);
}
