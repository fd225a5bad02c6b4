import { request, type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { sign, SIGNATURE_HEADER } from '@landline/webhook';

/** The receiver's path. */
export const WEBHOOK_PATH = '/api/elevenlabs/webhook';

/** A secret in the provider's form. */
export const SECRET = 'wsec_0123456789abcdef0123456789abcdef';

/** A request of a test. */
export interface Sent {
  method?: string;
  path?: string;
  /** An array sends the header as often as it has values. */
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
  agent?: Agent;
  /** How long the answer may take, in milliseconds; by default without limit. */
  limitMs?: number;
}

/** The answer to a request. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Sends a request and reads the answer. Rejects where the connection ends without an answer, or the time is over. */
export function send(origin: string, { method = 'POST', path = WEBHOOK_PATH, ...sent }: Sent = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { 'transfer-encoding': encoding } = sent.headers ?? {};
    // Node sends no Content-Length by itself where a method usually has no body.
    const length = encoding === undefined && { 'content-length': Buffer.byteLength(sent.body ?? '') };
    const outgoing = request(new URL(path, origin), {
      method,
      headers: { ...length, ...sent.headers },
      ...(sent.agent && { agent: sent.agent }),
      ...(sent.limitMs !== undefined && { signal: AbortSignal.timeout(sent.limitMs) }),
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    outgoing.end(sent.body);
  });
}

/** Asks a server for one page; rejects as `send` does. */
export function get(url: string, sent: Omit<Sent, 'method' | 'path'> = {}): Promise<Answer> {
  return send(url, { method: 'GET', path: url, ...sent });
}

/** How long a process may take to answer /health/ready, in milliseconds. */
const READY_LIMIT_MS = 2000;

/** Whether a process takes requests: it answers 200 at its /health/ready, in time. */
export function isReady(origin: string): Promise<boolean> {
  return get(`${origin}/health/ready`, { limitMs: READY_LIMIT_MS }).then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** Returns the current time in unix seconds. */
export function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** Returns the header that the provider would send with `body`. */
export function signed(body: string | Buffer, secret = SECRET, at = unixSeconds()): Record<string, string> {
  return { [SIGNATURE_HEADER]: sign(Buffer.from(body), secret, at) };
}

/** Sends a signed event as the provider does. */
export function post(origin: string, body: string | Buffer, { headers, ...sent }: Sent = {}): Promise<Answer> {
  return send(origin, {
    ...sent,
    headers: { 'content-type': 'application/json', ...signed(body), ...headers },
    body,
  });
}
