import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What decides whether a connection may be dropped. */
interface Connection {
  /** Whether the connection has had a 200, which only a client with the token gets. */
  isProven: boolean;
  /** How many requests with the token have no answer yet. */
  answering: number;
}

/** The open connections of a server. */
export interface Connections {
  /** Counts a request with the token until it has its answer. */
  answering(socket: Socket, response: ServerResponse): void;
  /** Records that a connection has had a 200. */
  proven(socket: Socket): void;
}

/**
 * Limits the connections of a server. At one too many it drops the oldest connection that has had no 200 and waits for no answer.
 * Where there is none, it drops the new one. So a client without the token cannot keep ElevenLabs out.
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
