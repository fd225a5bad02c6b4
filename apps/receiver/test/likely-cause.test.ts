import { deflateSync } from 'node:zlib';
import { sign } from '@landline/webhook';
import { expect, it } from 'vitest';
import { likelyCause, type Refused } from '../src/likely-cause.ts';

const SECRET = 'wsec_0123456789abcdef0123456789abcdef';
const NOW = 1_767_225_600;
const BODY = Buffer.from('{"type": "conversation.message"}');

const refused = (changes: Partial<Refused>): Refused => ({
  code: 'signature_mismatch',
  header: sign(BODY, 'another secret', NOW),
  headers: {},
  body: BODY,
  secrets: [SECRET],
  now: NOW,
  ...changes,
});
const hex = '0'.repeat(64);
const malformed = (header: string | string[]) => refused({ code: 'signature_malformed', header });
const expired = (t: number) => refused({ code: 'signature_expired', header: `v0=${hex}, t=${t}` });

const causes: [string, Refused][] = [
  ['the header is empty', refused({ code: 'signature_missing', header: '' })],
  ['no such header: another sender, or a proxy dropped it', refused({ code: 'signature_missing', header: undefined })],
  ['the header was sent 3 times', malformed(['', 'a', 'b'])],
  ['the header has no t', malformed(`v0=${hex}`)],
  ['t is not a time in unix seconds', malformed(`t=2026-01-01,v0=${hex}`)],
  ['the header has no v0', malformed(`t=${NOW},v1=${hex}`)],
  ['v0 is not 64 lower-case hex digits', malformed(`t=${NOW},v0=${hex.replaceAll('0', 'A')}`)],
  ['signed 7200 s ago', expired(NOW - 7200)],
  ['signed 400 s ahead of this clock', expired(NOW + 400)],
  ['t is in milliseconds: it must be in seconds', malformed(`t=${NOW}000,v0=${hex}`)],
  ['0 bytes arrived: something on the way drops the body', refused({ body: Buffer.alloc(0) })],
  ['compressed on the way (Content-Encoding: br)', refused({ headers: { 'content-encoding': ' BR' } })],
  ['compressed on the way (zstd bytes)', refused({ body: Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]) })],
  ['compressed on the way (deflate bytes)', refused({ body: deflateSync(BODY) })],
  [`${BODY.length} bytes arrived, 99 were announced`, refused({ headers: { 'content-length': '99' } })],
  ['the secret here lacks its wsec_', refused({ header: sign(BODY, SECRET, NOW), secrets: [SECRET.slice(5)] })],
  ['the sender leaves wsec_ out of the secret', refused({ header: sign(BODY, SECRET.slice(5), NOW) })],
  [
    'the secret here has quotation marks around it',
    refused({ header: sign(BODY, SECRET, NOW), secrets: ['x'.repeat(32), `"${SECRET}"`] }),
  ],
  [
    'a newline was added to the body',
    refused({ header: sign(BODY, SECRET, NOW), body: Buffer.from(`${String(BODY)}\n`) }),
  ],
  [
    'another secret, or something on the way changes the body',
    refused({ headers: { 'content-encoding': 'identity' } }),
  ],
  ['another secret, or something on the way changes the body', refused({ headers: { 'content-encoding': 'a\nb' } })],
];
it.each(causes)('%s', (cause, why) => {
  expect(likelyCause(why)).toBe(cause);
});
