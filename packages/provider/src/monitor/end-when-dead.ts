import type { WebSocket } from 'ws';

/**
 * Ends a socket whose other side is gone without a word: it is asked for a sign of life again and again, and ended where none comes.
 *
 * @param silenceMs  A live socket sends something within so long: an answer to a ping, at least.
 * @param onDead     Called before the socket is ended.
 */
export function endWhenDead(socket: WebSocket, silenceMs: number, onDead: () => void): void {
  let isAlive = true;
  const live = () => (isAlive = true);
  const check = setInterval(() => {
    if (socket.readyState !== socket.OPEN) return;
    if (!isAlive) {
      onDead();
      socket.terminate();
      return;
    }
    isAlive = false;
    socket.ping();
  }, silenceMs / 2).unref();
  for (const sign of ['open', 'message', 'ping', 'pong'] as const) socket.on(sign, live);
  socket.on('close', () => clearInterval(check));
}
