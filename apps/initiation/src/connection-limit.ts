import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What a connection may lose its place by. */
interface Connection {
  /** Whether it has had a 200, as nobody without the token has. */
  isProven: boolean;
  /** Requests with the token that have no answer yet. */
  answering: number;
}

/** The open connections of a server. */
export interface Connections {
  /** Notes a request with the token, until it has its answer. */
  answering(socket: Socket, response: ServerResponse): void;
  /** Notes that a connection has had a 200. */
  proven(socket: Socket): void;
}

/**
 * Bounds the connections of a server. One too many costs another its place: the oldest that has had no 200 and waits for no answer; the
 * newcomer's, where there is none. So nobody without the token keeps ElevenLabs out.
 */
export function limitConnections(server: Server, most: number): Connections {
  const open = new Map<Socket, Connection>();
  server.on('connection', (socket) => {
    open.set(socket, { isProven: false, answering: 0 });
    socket.once('close', () => open.delete(socket));
    if (open.size <= most) return;
    const victim = [...open].find(
      ([other, { isProven, answering }]) => other !== socket && !isProven && answering === 0,
    );
    const [dropped] = victim ?? [socket];
    open.delete(dropped);
    dropped.destroy();
  });
  return {
    answering(socket, response) {
      const connection = open.get(socket);
      if (connection === undefined) return;
      connection.answering += 1;
      response.once('close', () => (connection.answering -= 1));
    },
    proven(socket) {
      const connection = open.get(socket);
      if (connection !== undefined) connection.isProven = true;
    },
  };
}
