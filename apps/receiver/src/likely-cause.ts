import type { IncomingHttpHeaders } from 'node:http';
import { verify, type SignatureFault } from '@landline/webhook/verify';
import type { SignatureHeader } from './signature-header.ts';

/** The largest body, in bytes, that is verified again with other forms of the secret: to hash a larger one would delay other requests. */
const MAX_TRIED_BYTES = 65_536;

/** A refused request: what `likelyCause` reads. */
export interface Refused {
  code: SignatureFault;
  header: SignatureHeader;
  headers: IncomingHttpHeaders;
  /** Undefined: the receiver refused the request by its header, and read no body. */
  body: Buffer | undefined;
  secrets: readonly string[];
  /** Current time in unix seconds. */
  now: number;
}

/** Names the likely cause of a 401, for the log. The text holds nothing of the body, the signature or a secret. */
export function likelyCause(refused: Refused): string {
  switch (refused.code) {
    case 'signature_missing':
      return refused.header === '' ? 'the header is empty' : 'no such header: another sender, or a proxy dropped it';
    case 'signature_malformed':
      return malformed(refused.header);
    case 'signature_expired':
      return expired(refused.header, refused.now);
    case 'signature_mismatch':
      return mismatch(refused);
  }
}

function malformed(header: SignatureHeader): string {
  if (Array.isArray(header)) return `the header was sent ${header.length} times`;
  const parts = new Map((header ?? '').split(',').map((part) => splitPair(part.trim())));
  const time = parts.get('t');
  if (time === undefined) return 'the header has no t';
  if (/^\d{13}$/.test(time)) return 't is in milliseconds: it must be in seconds';
  if (!/^\d{1,12}$/.test(time)) return 't is not a time in unix seconds';
  return parts.has('v0') ? 'v0 is not 64 lower-case hex digits' : 'the header has no v0';
}

function splitPair(part: string): [string, string] {
  const at = part.indexOf('=');
  return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
}

function signedAt(header: SignatureHeader): number {
  return Number(/(?:^|[\s,])t=(\d+)/.exec(String(header))?.[1]);
}

function expired(header: SignatureHeader, now: number): string {
  const age = now - signedAt(header);
  return age < 0 ? `signed ${-age} s ahead of this clock` : `signed ${age} s ago`;
}

function mismatch({ body = Buffer.alloc(0), headers, header, secrets }: Refused): string {
  if (body.length === 0) return '0 bytes arrived: something on the way drops the body';
  const compressed = compression(body, headers['content-encoding']);
  if (compressed !== undefined) return `compressed on the way (${compressed})`;
  const announced = Number(headers['content-length'] ?? body.length);
  if (announced !== body.length) return `${body.length} bytes arrived, ${announced} were announced`;
  return otherSecret(body, header, secrets) ?? 'another secret, or something on the way changes the body';
}

const ENCODINGS = ['gzip', 'x-gzip', 'br', 'zstd', 'deflate', 'compress'];

const MAGIC: Readonly<Record<string, readonly number[]>> = {
  'gzip bytes': [0x1f, 0x8b],
  'zstd bytes': [0x28, 0xb5, 0x2f, 0xfd],
  'deflate bytes': [0x78, 0x9c],
};

function compression(body: Buffer, encoding: string | undefined): string | undefined {
  const named = ENCODINGS.find((known) => known === encoding?.trim().toLowerCase());
  if (named !== undefined) return `Content-Encoding: ${named}`;
  return Object.keys(MAGIC).find((name) => MAGIC[name]?.every((byte, i) => body[i] === byte));
}

/** Common mistakes with a secret, each with the form of the secret by which the signature would match. */
const FORMS: Readonly<Record<string, (secret: string) => string>> = {
  'the sender leaves wsec_ out of the secret': (secret) => secret.replace(/^wsec_/, ''),
  'the secret here lacks its wsec_': (secret) => (secret.startsWith('wsec_') ? secret : `wsec_${secret}`),
  'the secret here has quotation marks around it': (secret) => secret.replace(/^(["'])(.*)\1$/, '$2'),
};

function otherSecret(body: Buffer, header: SignatureHeader, secrets: readonly string[]): string | undefined {
  if (typeof header !== 'string' || body.length > MAX_TRIED_BYTES) return undefined;
  const at = signedAt(header);
  const matches = (bytes: Buffer, secret: string) =>
    verify(bytes, header, { secrets: [secret], now: at, toleranceSeconds: 0 }).ok;
  for (const secret of secrets) {
    for (const [cause, form] of Object.entries(FORMS)) {
      const other = form(secret);
      if (other !== secret && matches(body, other)) return cause;
    }
    if (matches(Buffer.concat([body, Buffer.from('\n')]), secret)) return 'the newline at the end of the body is gone';
    if (body.at(-1) === 0x0a && matches(body.subarray(0, -1), secret)) return 'a newline was added to the body';
  }
  return undefined;
}
