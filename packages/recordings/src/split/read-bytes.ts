import { readSteps } from './read-steps.ts';
import type { ByteRange, SplitSource } from './split-source.ts';

/**
 * Reads ranges of a body into one buffer, one behind the other.
 *
 * @throws  Where the source gives fewer or more bytes than a range has.
 */
export async function readBytes(source: SplitSource, ranges: readonly ByteRange[]): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(ranges.reduce((sum, { from, to }) => sum + to - from, 0));
  let at = 0;
  for (const range of ranges) {
    // A copy, so that no chunk of the source stays alive.
    for await (const step of readSteps(source, range)) at += step.copy(bytes, at);
  }
  return bytes;
}
