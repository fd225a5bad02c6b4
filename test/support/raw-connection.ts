import { once } from 'node:events';
import { connect } from 'node:net';
import { SIGNATURE_HEADER } from '@landline/webhook';
import { WEBHOOK_PATH } from './post.ts';

/** A TCP connection on which a test writes HTTP by hand. */
export interface RawConnection {
  write: (bytes: string | Buffer) => void;
  /** All that has come back. */
  received: () => string;
  /** Resolves when the other side has ended its half or cut the line. This side's half stays open. */
  ended: Promise<void>;
  /** Cuts the line. */
  cut: () => void;
}

/** Opens a connection to a server's address. */
export async function openConnection(origin: string): Promise<RawConnection> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => (received += text));
  socket.on('error', () => undefined); // a reset ends it as well, and `ended` tells
  const ended = new Promise<void>((resolve) => socket.once('end', resolve).once('close', () => resolve()));
  await once(socket, 'connect');
  return {
    write: (bytes) => void socket.write(bytes),
    received: () => received,
    ended,
    cut: () => void socket.destroy(),
  };
}

/** A POST as bytes, its length told; several may be written one behind the other. */
export function rawPost(path: string, headers: Readonly<Record<string, string>>, body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  const lines = Object.entries({ host: 'localhost', ...headers, 'content-length': String(bytes.length) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head}\r\n`), bytes]);
}

/** A webhook as the provider sends it, as bytes. */
export function deliveryBytes(body: Buffer, signature: string): Buffer {
  const headers = { 'user-agent': 'ElevenLabs', 'content-type': 'application/json', [SIGNATURE_HEADER]: signature };
  return rawPost(WEBHOOK_PATH, headers, body);
}

/** The status of every answer in what came back, in order. */
export function statusesIn(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}
