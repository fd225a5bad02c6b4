import type { IncomingMessage } from 'node:http';

/** The largest body that the initiation reads, in bytes. ElevenLabs sends a few hundred. */
export const BODY_LIMIT_BYTES = 65_536;

/** A body, or why there is none. `gone`: the client has hung up. */
export type ReadBody = { bytes: Buffer } | { fault: 'body_too_large' | 'body_slow' | 'gone' };

/**
 * Reads a request's body, and counts its bytes as they arrive. It discards the bytes that come after it has resolved.
 *
 * @param late  Resolves when the body has taken too long.
 */
export function readBody(request: IncomingMessage, late: Promise<unknown>): Promise<ReadBody> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const settle = (read: ReadBody) => {
      request.off('data', take).off('end', end).off('close', gone);
      if (!request.readableEnded) request.resume();
      resolve(read);
    };
    const take = (piece: Buffer) => {
      length += piece.length;
      if (length > BODY_LIMIT_BYTES) settle({ fault: 'body_too_large' });
      else pieces.push(piece);
    };
    const end = () => settle({ bytes: Buffer.concat(pieces) });
    const gone = () => settle({ fault: 'gone' });
    // A request that is cut off emits `error` as well as `close`; an `error` without a listener would end the process.
    request.on('error', () => undefined);
    if (Number(request.headers['content-length']) > BODY_LIMIT_BYTES) return settle({ fault: 'body_too_large' });
    request.on('data', take).on('end', end).on('close', gone);
    void late.then(() => settle({ fault: 'body_slow' }));
  });
}
