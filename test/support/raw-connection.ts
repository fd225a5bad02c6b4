import { once } from 'node:events';
import { connect } from 'node:net';
import { SIGNATURE_HEADER } from '@landline/webhook';
import { WEBHOOK_PATH } from './post.ts';

/** A TCP connection on which a test writes HTTP by hand. */
export interface RawConnection {
  write: (bytes: string | Buffer) => void;
  /** Returns everything that the other side has sent. */
  received: () => string;
  /** Resolves when the other side has ended its half or cut the connection. This side's half stays open. */
  ended: Promise<void>;
  /** Cuts the connection. */
  cut: () => void;
}

/** Opens a connection to a server's address. */
export async function openConnection(origin: string): Promise<RawConnection> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => (received += text));
  socket.on('error', () => undefined); // a reset resolves `ended` as well
  const ended = new Promise<void>((resolve) => socket.once('end', resolve).once('close', () => resolve()));
  await once(socket, 'connect');
  return {
    write: (bytes) => void socket.write(bytes),
    received: () => received,
    ended,
    cut: () => void socket.destroy(),
  };
}

/** Returns a POST with its Content-Length as bytes; several may be written one behind the other. */
export function rawPost(path: string, headers: Readonly<Record<string, string>>, body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  const lines = Object.entries({ host: 'localhost', ...headers, 'content-length': String(bytes.length) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head}\r\n`), bytes]);
}

/** Returns a webhook of the provider as bytes. */
export function deliveryBytes(body: Buffer, signature: string): Buffer {
  const headers = { 'user-agent': 'ElevenLabs', 'content-type': 'application/json', [SIGNATURE_HEADER]: signature };
  return rawPost(WEBHOOK_PATH, headers, body);
}

/** Returns the status of every answer in a received text, in order. */
export function statusesIn(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}
