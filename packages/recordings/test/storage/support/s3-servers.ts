import { createHash, createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { onTestFinished } from 'vitest';
import S3rver from 's3rver';
import { closeServer } from '../../../../../test/support/close-server.ts';
import { makeTempFolder } from '../../../../../test/support/temp-folder.ts';
import { USER } from './credentials.ts';

/** The bucket of each server. */
export const BUCKET = 'recordings';

/** Starts s3rver for the running test. It stores whole uploads alone. Returns its origin. */
export async function startS3rver(): Promise<string> {
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: await makeTempFolder(),
    configureBuckets: [{ name: BUCKET }],
  });
  storeWholeUploads(server.store, await makeTempFolder());
  const { port } = await server.run();
  onTestFinished(() => closeServer(server.httpServer, () => server.httpServer.closeAllConnections()));
  return `http://127.0.0.1:${port}`;
}

/**
 * Has an upload wait in a file of its own until it is whole, as S3 does. By itself, s3rver writes what comes into the object's file: bytes of an upload that
 * broke off may arrive there while the next one is written.
 */
function storeWholeUploads(store: S3rver['store'], folder: string): void {
  const putObject = store.putObject.bind(store);
  store.putObject = async (object) => {
    const upload = join(folder, randomUUID());
    await pipeline(object.content, createWriteStream(upload));
    return putObject(Object.assign(object, { content: createReadStream(upload) }));
  };
}

/** Lists the keys in a server's bucket. */
export async function keysIn(origin: string): Promise<string[]> {
  const answer = await fetch(`${origin}/${BUCKET}?list-type=2`, { headers: { connection: 'close' } });
  return [...(await answer.text()).matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key ?? '');
}

/** Serves HTTP for the running test. Returns the origin. */
export async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => closeServer(server, () => server.closeAllConnections()));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return `http://127.0.0.1:${address.port}`;
}

/** Answers as S3 does for an error. */
export function refuse(response: ServerResponse, status: number, code: string): void {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(response.req.method === 'HEAD' ? undefined : xml);
}

/** An S3 server that is as strict as AWS: it verifies signature, length and hash, and takes `If-None-Match: *`. */
export interface StrictS3 {
  origin: string;
  /** The headers of each request as they came, by lower-case name. */
  requests: { method: string; key: string; headers: Record<string, string> }[];
  objects: Map<string, { content: Buffer; headers: Record<string, string> }>;
}

/**
 * Starts a strict server for the running test.
 *
 * @param before  Answers a request itself, and returns true; or leaves it to the server.
 */
export async function startStrictS3(
  before: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
): Promise<StrictS3> {
  const strict: StrictS3 = { origin: '', requests: [], objects: new Map() };
  strict.origin = await serve((request, response) => {
    const { headers, key } = noted(request, strict);
    if (before(request, response)) return;
    if (signatureOf(request, headers) !== signatureIn(headers)) {
      request.resume();
      refuse(response, 403, 'SignatureDoesNotMatch');
    } else if (request.method === 'PUT') void put({ strict, key, headers }, request, response);
    else answerOther({ strict, key, headers }, request, response);
  });
  return strict;
}

function noted(request: IncomingMessage, { requests }: StrictS3): { headers: Record<string, string>; key: string } {
  const headers: Record<string, string> = {};
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    headers[(request.rawHeaders[at] ?? '').toLowerCase()] = request.rawHeaders[at + 1] ?? '';
  }
  const key = new URL(request.url ?? '', 'http://server').pathname.replace(`/${BUCKET}/`, '');
  requests.push({ method: request.method ?? '', key, headers });
  return { headers, key };
}

async function put(
  { strict, key, headers }: { strict: StrictS3; key: string; headers: Record<string, string> },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request) if (Buffer.isBuffer(part)) parts.push(part);
  } catch {
    return; // The client cut the request, so nothing is stored.
  }
  const content = Buffer.concat(parts);
  if (headers['content-length'] === undefined) refuse(response, 411, 'MissingContentLength');
  else if (headers['x-amz-content-sha256'] !== createHash('sha256').update(content).digest('hex')) {
    refuse(response, 400, 'XAmzContentSHA256Mismatch');
  } else if (headers['if-none-match'] === '*' && strict.objects.has(key)) refuse(response, 412, 'PreconditionFailed');
  else {
    strict.objects.set(key, { content, headers });
    response.end();
  }
}

function answerOther(
  { strict, key, headers }: { strict: StrictS3; key: string; headers: Record<string, string> },
  { method }: IncomingMessage,
  response: ServerResponse,
): void {
  const found = strict.objects.get(key);
  if (method === 'DELETE') {
    strict.objects.delete(key);
    response.writeHead(204).end();
    return;
  }
  if (found === undefined) {
    refuse(response, 404, 'NoSuchKey');
    return;
  }
  const sha256 = found.headers['x-amz-meta-sha256'];
  if (sha256 !== undefined) response.setHeader('x-amz-meta-sha256', sha256);
  const content = rangeOf(found.content, headers['range'], response);
  if (content === undefined) return;
  response.setHeader('content-length', content.length);
  response.end(method === 'HEAD' ? undefined : content);
}

/** Cuts out the range that is asked for, and announces it; undefined where it is refused. */
function rangeOf(content: Buffer, range: string | undefined, response: ServerResponse): Buffer | undefined {
  const [, from = '', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (from === '') return content;
  const [start, end] = [Number(from), Math.min(to === '' ? Infinity : Number(to), content.length - 1)];
  if (start >= content.length) {
    refuse(response, 416, 'InvalidRange');
    return undefined;
  }
  response.statusCode = 206;
  response.setHeader('content-range', `bytes ${start}-${end}/${content.length}`);
  return content.subarray(start, end + 1);
}

function signatureIn({ authorization = '' }: Record<string, string>): string | undefined {
  return /Signature=([0-9a-f]+)$/.exec(authorization)?.[1];
}

/** Computes a request's signature by AWS's description of Signature Version 4 (docs.aws.amazon.com, sig-v4-header-based-auth). */
function signatureOf({ method, url = '' }: IncomingMessage, headers: Record<string, string>): string | undefined {
  const [, scope, signed] =
    /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+),/.exec(headers['authorization'] ?? '') ?? [];
  if (scope === undefined || signed === undefined) return 'none';
  const { pathname, searchParams } = new URL(url, 'http://server');
  const query = [...searchParams]
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .toSorted()
    .join('&');
  const lines = signed.split(';').map((name) => `${name}:${(headers[name] ?? '').trim()}\n`);
  const canonical = [method, pathname, query, lines.join(''), signed, headers['x-amz-content-sha256']].join('\n');
  const hashed = createHash('sha256').update(canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hashed].join('\n');
  const key = scope.split('/').reduce<Buffer>((parent, part) => hmac(parent, part), Buffer.from(`AWS4${USER.secret}`));
  return hmac(key, text).toString('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
