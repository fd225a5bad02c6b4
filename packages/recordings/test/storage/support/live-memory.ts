import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Returns the bytes of all buffers that are in use: what a collection leaves. */
export function liveBytes(): number {
  if (typeof collect !== 'function') throw new Error('This Node does not collect on request.');
  // The first one frees buffers on another thread, for which the second one waits.
  Reflect.apply(collect, undefined, []);
  Reflect.apply(collect, undefined, []);
  return process.memoryUsage().arrayBuffers;
}

/** Yields the parts, and reports the most that is alive at every 64th of them. */
export async function* watched(parts: AsyncIterable<Buffer>, onLive: (bytes: number) => void): AsyncGenerator<Buffer> {
  let count = 0;
  for await (const part of parts) {
    if (count % 64 === 0) onLive(liveBytes());
    count += 1;
    yield part;
  }
}
