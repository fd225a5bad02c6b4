import type { WebSocket } from 'ws';

/** What a socket may hold of a message in any case, in bytes: words of a call are far smaller, and no other call can keep them out. */
const FREE_BYTES = 64 * 1024;

/** The room for messages of all sockets that are not whole yet. */
export interface MessageRoom {
  /** Counts what a socket holds, as it arrives. @param onFull  Called where there is no room for more: the socket is to be ended. */
  watch(socket: WebSocket, onFull: () => void): void;
}

/**
 * Makes the room. The library holds a message until it is whole, so what comes in is counted from the end of the last message on.
 *
 * @param mostBytes  What all sockets together may hold beyond 64 KiB each.
 */
export function createMessageRoom(mostBytes: number): MessageRoom {
  let taken = 0;
  return {
    watch(socket, onFull) {
      let own = 0;
      const hold = (bytes: number): void => {
        const before = Math.max(0, own - FREE_BYTES);
        own = bytes;
        const after = Math.max(0, own - FREE_BYTES);
        taken += after - before;
        if (after > before && taken > mostBytes) onFull();
      };
      socket.once('upgrade', ({ socket: connection }) => {
        // Not before: the library gives itself what came with the handshake, and nobody else may hear that.
        socket.once('open', () => connection.on('data', (bytes: Buffer) => hold(own + bytes.length)));
      });
      socket.on('message', () => hold(0));
      socket.on('close', () => hold(0));
    },
  };
}
