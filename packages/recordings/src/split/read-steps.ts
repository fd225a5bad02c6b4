import { setImmediate } from 'node:timers/promises';
import type { ByteRange, SplitSource } from './split-source.ts';

/**
 * The most bytes that are worked on before the event loop gets its turn. The receiver answers small events in the same
 * process, and 128 KiB take less than a millisecond.
 */
const STEP_BYTES = 128 * 1024;

/**
 * Reads a range of a body in pieces of 128 KiB at most, and lets the event loop turn after each 128 KiB.
 *
 * @throws  Where the source gives fewer or more bytes than the range has: the file is not the body that was measured.
 */
export async function* readSteps(source: SplitSource, { from, to }: ByteRange): AsyncGenerator<Buffer, void> {
  let [done, sinceTurn] = [0, 0];
  if (to > from) {
    for await (const chunk of source.read(from, to)) {
      done += chunk.length;
      for (let at = 0; at < chunk.length; at += STEP_BYTES) {
        const step = chunk.subarray(at, at + STEP_BYTES);
        yield step;
        sinceTurn += step.length;
        if (sinceTurn < STEP_BYTES) continue;
        sinceTurn = 0;
        await setImmediate();
      }
    }
  }
  if (done !== to - from) throw new Error(`The spooled body gave ${done} bytes of the range from ${from} to ${to}.`);
}
