import { connect, type Socket } from 'node:net';

/**
 * How long a process may take to answer, in ms. Requests wait for room meanwhile, so a longer time would delay answers
 * to senders.
 */
const ANSWER_MS = 1000;

/** The longest request, in bytes. */
const REQUEST_BYTES = 32;

const REQUEST = /^room (\d{1,15})\n$/;

/**
 * Serves a connection to a process's socket. On `room <bytes>` the process removes what Redis has, and closes the
 * socket when that is done. A process that only checks whether this one is alive sends nothing and closes the
 * connection.
 *
 * @param free  Removes so many bytes, or as many as there are.
 */
export function answerRoomRequest(socket: Socket, free: (bytes: number) => Promise<void>): void {
  let request = '';
  socket.unref();
  socket.setEncoding('latin1');
  socket.setTimeout(ANSWER_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (part: string) => {
    request += part;
    const bytes = REQUEST.exec(request)?.[1];
    if (bytes !== undefined) void free(Number(bytes)).finally(() => socket.destroy());
    else if (request.length > REQUEST_BYTES) socket.destroy();
  });
}

/**
 * Asks the process that listens on a socket to remove what Redis has. Resolves when the process has done so, is gone,
 * or took a second.
 */
export function askForRoom(socketPath: string, bytes: number): Promise<void> {
  return new Promise((done) => {
    const socket = connect(socketPath, () => socket.write(`room ${Math.ceil(bytes)}\n`));
    socket.unref();
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.once('close', () => done());
    socket.resume();
  });
}
