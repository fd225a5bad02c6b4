import { connect, type Socket } from 'node:net';

/** How long a process that was asked may take, in ms. */
const ANSWER_MS = 1000;

/** The longest request, in bytes. */
const REQUEST_BYTES = 32;

const REQUEST = /^room (\d{1,15})\n$/;

/**
 * Answers whoever connects to a process's socket. `room <bytes>` asks it to remove what Redis has; the socket ends when that is done. A
 * process that only wants to know whether this one lives says nothing and ends.
 *
 * @param free  Removes so many bytes, or as many as there are.
 */
export function answerRoomRequest(socket: Socket, free: (bytes: number) => Promise<void>): void {
  let said = '';
  socket.unref();
  socket.setEncoding('latin1');
  socket.setTimeout(ANSWER_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (part: string) => {
    said += part;
    const bytes = REQUEST.exec(said)?.[1];
    if (bytes !== undefined) void free(Number(bytes)).finally(() => socket.destroy());
    else if (said.length > REQUEST_BYTES) socket.destroy();
  });
}

/** Asks the process that listens on a socket to remove what Redis has. Resolves when it has, is gone, or took a second. */
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
