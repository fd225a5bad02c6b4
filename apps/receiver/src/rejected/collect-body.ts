import type { IncomingMessage } from 'node:http';
import { addPiece, allPieces, noPieces } from '../pieces.ts';

/**
 * Collects the body of a request that has its answer already, instead of discarding it. Calls `done` once, when the body has ended or its
 * sender has hung up.
 *
 * @param limit  How many bytes are collected at most.
 */
export function collectBody(request: IncomingMessage, limit: number, done: (body: Buffer) => void): void {
  const pieces = noPieces();
  const { socket } = request;
  let isOver = false;
  const finish = () => {
    if (isOver) return;
    isOver = true;
    socket.off('close', finish);
    done(Buffer.concat(allPieces(pieces)));
  };
  request.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, limit - pieces.bytes);
    if (part.length > 0) addPiece(pieces, part);
  });
  request.once('end', finish);
  request.once('error', finish);
  // A request that has its answer is not told that its connection is gone.
  socket.once('close', finish);
  // Node discards a body that nobody has begun to read when its answer is sent.
  request.read(0);
}
