import { connect } from 'node:net';

/** A kept-alive connection to a server on this machine, with at most one request under way. */
export interface KeptAlive {
  /** Resolves when the connection is open, or could not be opened. */
  opened: Promise<void>;
  send: (request: Buffer) => void;
  /** Ends the connection at once, also while a request is under way. */
  cut: () => void;
}

/** Which connection to open, and what to call. */
export interface KeptAliveOptions {
  port: number;
  /** Called with each complete answer: its status, and its head (first line and headers). */
  onAnswer: (status: number, head: string) => void;
  /** Called when the connection has ended, with the status of an incomplete answer; undefined where the status has not come either. */
  onGone?: (status: number | undefined) => void;
}

const CONTENT_LENGTH = /^content-length: (\d+)/im;
const END_OF_HEAD = '\r\n\r\n';

/** Opens a connection. It can read answers with a Content-Length, or without a body. */
export function openKeptAlive({ port, onAnswer, onGone }: KeptAliveOptions): KeptAlive {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let partial: Buffer | undefined;
  socket.on('data', (chunk: Buffer) => {
    const answer = partial === undefined ? chunk : Buffer.concat([partial, chunk]);
    const headEnd = answer.indexOf(END_OF_HEAD);
    const head = headEnd < 0 ? '' : answer.toString('latin1', 0, headEnd);
    const length = Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0);
    const isWhole = headEnd >= 0 && answer.length >= headEnd + END_OF_HEAD.length + length;
    partial = isWhole ? undefined : answer;
    if (isWhole) onAnswer(statusOf(head) ?? 0, head);
  });
  socket.on('error', () => undefined); // `close` comes after it
  socket.once('close', () => onGone?.(statusOf(partial?.toString('latin1') ?? '')));
  return {
    opened: new Promise((resolve) => socket.once('connect', resolve).once('close', () => resolve())),
    send: (request) => void socket.write(request),
    cut: () => void socket.destroy(),
  };
}

function statusOf(head: string): number | undefined {
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
  return status === undefined ? undefined : Number(status);
}
