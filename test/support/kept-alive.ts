import { connect } from 'node:net';

/** A kept-alive connection to a server on this machine. A request leaves when the one before it is answered, so there is one at a time. */
export interface KeptAlive {
  /** Resolves when it is open, or could not be opened. */
  opened: Promise<void>;
  send: (request: Buffer) => void;
  /** Cuts it, whatever is under way. */
  cut: () => void;
}

/** Who is told of a connection. */
export interface KeptAliveOptions {
  port: number;
  /** An answer is complete: its status, and its first line with its headers. */
  onAnswer: (status: number, head: string) => void;
  /** It is gone. What has come of an answer that is not complete says this status; undefined where not even that has come. */
  onGone?: (status: number | undefined) => void;
}

const CONTENT_LENGTH = /^content-length: (\d+)/im;
const END_OF_HEAD = '\r\n\r\n';

/** Opens a connection. It reads answers that tell their length. */
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
