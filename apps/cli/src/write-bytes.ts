import type { Writable } from 'node:stream';

/** The errors of an output whose reader is gone, as `head` is when it has what it wants. */
const CLOSED = ['EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'];

/**
 * Writes bytes, and waits until the output has taken them.
 *
 * @returns False when nobody reads the output any more.
 * @throws  Any other error of the output, such as a full disk.
 */
export function writeBytes(output: Writable, bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    output.write(bytes, (error) => {
      if (!error) resolve(true);
      else if ('code' in error && CLOSED.includes(String(error.code))) resolve(false);
      else reject(error);
    });
  });
}
