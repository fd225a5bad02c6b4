import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeServer } from '../support/close-server.ts';
import type { Link } from './link.ts';

/** What is wrong with the storage. */
export type StorageTrouble = 'away' | 'refused' | 'full';

/** An object, without its content. */
export interface StoredFacts {
  bytes: number;
  /** Of what came, in hex. */
  sha256: string;
}

/** An S3 server that forgets the contents: gigabytes of recordings need no room. */
export interface RecordingStorage {
  port: number;
  /** By the URL that a row has. */
  objects: ReadonlyMap<string, StoredFacts>;
  /** undefined: all is well. */
  break: (trouble: StorageTrouble | undefined) => void;
  /** Returns the variables by which a receiver reaches it. */
  environment: (link: Link | undefined) => Readonly<Record<string, string>>;
  close: () => Promise<void>;
}

const BUCKET = 'recordings';

/** The status and the code by which a server says so. */
const REFUSALS = { refused: [403, 'InvalidAccessKeyId'], full: [507, 'XMinioStorageFull'] } as const;

/** Starts a storage on loopback. */
export async function startRecordingStorage(): Promise<RecordingStorage> {
  const objects = new Map<string, StoredFacts>();
  let trouble: StorageTrouble | undefined;
  const server = createServer((request, response) => {
    request.on('error', () => undefined);
    if (trouble === 'away') return void request.socket.destroy();
    if (trouble === undefined) {
      void answer(request, response);
      return;
    }
    request.resume();
    refuse(response, REFUSALS[trouble]);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = `s3:/${new URL(request.url ?? '', 'http://server').pathname}`;
    if (request.method === 'PUT') return put(url, request, response);
    const found = objects.get(url);
    if (found === undefined) return refuse(response, [404, 'NoSuchKey']);
    response.writeHead(200, { 'content-length': found.bytes, 'x-amz-meta-sha256': found.sha256 }).end();
  }

  async function put(url: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const stored = await factsOf(request).catch(() => undefined);
    // The sender has gone.
    if (stored === undefined || !request.complete) return;
    if (request.headers['x-amz-content-sha256'] !== stored.sha256) return refuse(response, [400, 'BadDigest']);
    if (!objects.has(url)) objects.set(url, stored);
    else if (request.headers['if-none-match'] === '*') return refuse(response, [412, 'PreconditionFailed']);
    response.end();
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The storage has no port.');
  return {
    port: address.port,
    objects,
    break(next) {
      trouble = next;
      if (next === 'away') server.closeAllConnections();
    },
    environment: (link) => ({
      RECORDINGS_URL: `s3://${BUCKET}?endpoint=http://127.0.0.1:${link?.port ?? 0}&region=us-east-1`,
      AWS_ACCESS_KEY_ID: 'anybody',
      AWS_SECRET_ACCESS_KEY: 'anything',
    }),
    close: () => closeServer(server, () => server.closeAllConnections()),
  };
}

async function factsOf(request: IncomingMessage): Promise<StoredFacts> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of request) {
    if (!Buffer.isBuffer(part)) continue;
    hash.update(part);
    bytes += part.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

function refuse(response: ServerResponse, [status, code]: readonly [number, string]): void {
  const isHead = response.req.method === 'HEAD';
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(isHead ? undefined : `<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}
