import { createHmac } from 'node:crypto';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CAUSES, isCause, type Cause } from '../../src/diagnose/causes.ts';
import { diagnose, diagnoseInSteps, type RefusedRequest } from '../../src/diagnose/diagnose.ts';
import { sign } from '../../src/sign.ts';

const SECRET = 'wsec_0123456789abcdef0123456789abcdef';
const OTHER = 'wsec_fedcba9876543210fedcba9876543210';
const NOW = 1_767_225_600;
const TEXT = '{"type":"conversation.message","data":{"text":"أهلا \\"you\\"","n":1.0,"b":[1,2]}}';
const BODY = Buffer.from(TEXT);
const HEX = '0'.repeat(64);

/** A request whose signature is good, refused for its signature; with these changes. */
function refused(changes: Partial<RefusedRequest> = {}): RefusedRequest {
  return {
    header: sign(BODY, SECRET, NOW),
    headers: {},
    body: BODY,
    secrets: [SECRET],
    receivedAt: NOW,
    toleranceSeconds: 3600,
    code: 'signature_mismatch',
    ...changes,
  };
}

/** What arrives where the sender has signed `signed`. */
const arrived = (signed: string | Buffer, body: string | Buffer = BODY, headers = {}) =>
  refused({ header: sign(Buffer.from(signed), SECRET, NOW), body: Buffer.from(body), headers });
const digestOf = (text: string, encoding: 'hex' | 'base64' = 'hex') =>
  createHmac('sha256', SECRET).update(text).digest(encoding);
const withHeader = (header: string | string[] | undefined) => refused({ header, code: 'signature_malformed' });

// Each fault is made by hand; the words in brackets are the detail.
const made: [Cause, RefusedRequest, detail?: string][] = [
  ['signature_good', refused({ code: undefined })],
  ['another_live_secret', refused({ secrets: [OTHER, SECRET] })],
  ['no_signature', withHeader(undefined)],
  ['empty_signature', withHeader(' ')],
  ['repeated_signature', withHeader(['', 'a', 'b']), '3 times'],
  ['no_time', withHeader(`v0=${HEX}`)],
  ['time_unreadable', withHeader(`t=2026-01-01,v0=${HEX}`)],
  ['time_in_milliseconds', withHeader(`t=${NOW}123,v0=${digestOf(`${NOW}123.${TEXT}`)}`)],
  ['time_in_milliseconds', withHeader(`t=${NOW}123,v0=${digestOf(`${NOW}.${TEXT}`)}`)],
  ['time_in_milliseconds', withHeader(`t=${NOW}123,v0=${HEX}`)],
  ['no_v0', withHeader(`t=${NOW},v1=${HEX}`)],
  ['signature_in_upper_case', withHeader(`t=${NOW},v0=${digestOf(`${NOW}.${TEXT}`).toUpperCase()}`)],
  ['signature_in_base64', withHeader(`t=${NOW},v0=${digestOf(`${NOW}.${TEXT}`, 'base64')}`)],
  ['signature_unreadable', withHeader(`t=${NOW},v0=${HEX}0`)],
  ['stale', refused({ receivedAt: NOW + 3601, code: 'signature_expired' }), '3601 s before'],
  ['ahead', refused({ receivedAt: NOW - 301, code: 'signature_expired' }), '301 s ahead'],
  ['secret_has_white_space', refused({ secrets: [`${SECRET} \n`] })],
  ['secret_is_quoted', refused({ secrets: [OTHER, `"${SECRET}"`] })],
  ['secret_is_quoted', refused({ secrets: [`\u200b${SECRET}`] })],
  ['secret_lacks_prefix', refused({ secrets: [SECRET.slice(5)] })],
  ['sender_leaves_prefix_out', refused({ header: sign(BODY, SECRET.slice(5), NOW) })],
  ['newline_added', arrived(TEXT, `${TEXT}\n`)],
  ['newline_added', arrived(TEXT, `${TEXT}\r\n`)],
  ['newline_removed', arrived(`${TEXT}\n`)],
  ['newline_removed', arrived(`${TEXT}\r\n`)],
  ['line_ends_changed', arrived('{\r\n"a":1\r\n}', '{\n"a":1\n}')],
  ['line_ends_changed', arrived('{\n"a":1\n}', '{\r\n"a":1\r\n}')],
  ['bom_added', arrived(TEXT, `\ufeff${TEXT}`)],
  ['bom_removed', arrived(`\ufeff${TEXT}`)],
  ['json_printed_anew', arrived('{"a":[1,2.0],"b":"é"}', '{ "a": [1, 2.0], "b": "é" }'), 'signed: compact'],
  ['json_printed_anew', arrived('{"b":"\\u00e9/","a":1}', '{"b":"é/","a":1}'), 'signed: compact, ASCII alone'],
  ['json_printed_anew', arrived('{"b":"é/"}', '{"b":"\\u00e9\\/"}'), 'signed: compact, other escapes'],
  ['json_printed_anew', arrived('{"a": [1, {}], "b": []}', '{"a":[1,{}],"b":[]}'), "signed: Python's spacing"],
  ['json_printed_anew', arrived('{"b": "\\ud83d\\ude00"}', '{"b":"😀"}'), "signed: Python's spacing, ASCII alone"],
  ['json_printed_anew', arrived('{"a":1,"b":{"c":1,"d":2}}', '{"b":{"d":2,"c":1},"a":1}'), 'signed: compact, sorted'],
  ['json_printed_anew', arrived('{"a": 1, "b": 2}', '{"b":2,"a":1}'), "signed: Python's spacing, sorted"],
  ['body_compressed', arrived(TEXT, gzipSync(TEXT)), 'gzip bytes'],
  ['body_compressed', arrived(TEXT, gzipSync(TEXT), { 'content-encoding': ' GZIP' }), 'Content-Encoding: gzip'],
  ['body_compressed', arrived(TEXT, deflateSync(TEXT)), 'deflate bytes'],
  [
    'body_compressed',
    arrived(TEXT, deflateRawSync(TEXT), { 'content-encoding': 'deflate' }),
    'Content-Encoding: deflate',
  ],
  ['body_compressed', arrived(TEXT, brotliCompressSync(TEXT), { 'content-encoding': 'br' }), 'Content-Encoding: br'],
  ['body_compressed', arrived(TEXT, Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0])), 'zstd bytes'],
  ['body_missing', arrived(TEXT, '')],
  ['signed_empty_body', arrived('')],
  ['signed_body_alone', refused({ header: `t=${NOW},v0=${digestOf(TEXT)}` })],
  [
    'body_length_differs',
    arrived(TEXT, TEXT.slice(0, 20), { 'content-length': '99' }),
    '20 bytes arrived, 99 were announced',
  ],
];

// Nothing makes these pass: each names what is most likely.
const unfound: [Cause, RefusedRequest][] = [
  ['another_secret', refused({ header: sign(BODY, OTHER, NOW) })],
  ['another_secret', refused({ header: sign(BODY, OTHER, NOW), receivedAt: NOW + 9999, code: 'signature_expired' })],
  ['body_changed', arrived(TEXT, 'a=1')],
  ['body_cut', refused({ body: BODY.subarray(0, 20), bodyBytes: BODY.length })],
  ['body_unread', refused({ body: undefined })],
  ['stale', refused({ body: undefined, receivedAt: NOW + 9999, code: 'signature_expired' })],
  ['unknown', refused({ secrets: [] })],
];

describe('each fault is named', () => {
  it.each(made)('%s', (cause, request, detail) => {
    const diagnosis = diagnose(request);
    expect(diagnosis).toMatchObject({ cause, isFound: true });
    expect(diagnosis.message.includes(`(${detail})`)).toBe(detail !== undefined);
  });

  it.each(unfound)('%s, where nothing makes the signature pass', (cause, request) => {
    expect(diagnose(request)).toMatchObject({ cause, isFound: false });
  });

  it('no cause is left out of these tables', () => {
    expect(new Set([...made, ...unfound].map(([cause]) => cause))).toEqual(new Set(Object.keys(CAUSES)));
  });
});

// The same request with one byte of its body changed, or of the secret: what passed by the change must not pass any more.
const VERIFIED = new Set<Cause>([
  ...([
    'signature_good',
    'another_live_secret',
    'stale',
    'ahead',
    'secret_has_white_space',
    'secret_is_quoted',
  ] as const),
  ...([
    'secret_lacks_prefix',
    'sender_leaves_prefix_out',
    'newline_added',
    'newline_removed',
    'line_ends_changed',
  ] as const),
  ...(['bom_added', 'bom_removed', 'json_printed_anew', 'signed_empty_body', 'signed_body_alone'] as const),
]);
describe("each fault's neighbour is not", () => {
  it.each(made.filter(([cause]) => VERIFIED.has(cause)))('%s: with another secret', (cause, request) => {
    const secrets = request.secrets.map((secret) => secret.replace('0123', '0124'));
    const neighbour = diagnose({ ...request, secrets });
    expect([neighbour.cause, neighbour.isFound]).not.toEqual([cause, true]);
    expect(neighbour).toMatchObject({ cause: 'another_secret', isFound: false });
  });

  it.each<[string, Cause, RefusedRequest]>([
    ['as old as it may be', 'another_live_secret', refused({ receivedAt: NOW + 3600 })],
    ['as far ahead as it may be', 'another_live_secret', refused({ receivedAt: NOW - 300 })],
    ['two newlines added to what is no JSON', 'body_changed', arrived('a=1', 'a=1\n\n')],
    ['a value changed', 'another_secret', arrived(TEXT, TEXT.replace('1.0', '1'))],
    ['identity is no compression', 'another_secret', arrived('x', BODY, { 'content-encoding': 'identity' })],
    ['an unknown encoding', 'another_secret', arrived('x', BODY, { 'content-encoding': 'a\nb' })],
    ['the announced length', 'another_secret', arrived('x', BODY, { 'content-length': String(BODY.length) })],
    ['12 digits are seconds', 'another_secret', withHeader(`t=123456789012,v0=${HEX}`)],
    [
      'one good digest beside others',
      'another_live_secret',
      refused({ header: `v0=${HEX},${sign(BODY, SECRET, NOW)}` }),
    ],
  ])('%s', (_, cause, request) => {
    expect(diagnose(request).cause).toBe(cause);
  });
});

describe('its words', () => {
  it.each(Object.entries(CAUSES))('%s: one sentence, and an advice', (cause, { says, advice }) => {
    expect(isCause(cause)).toBe(true);
    expect(says).toMatch(/^[A-Z][^.]*\.$/);
    expect(advice).toMatch(/\.$/);
  });

  it('hold nothing of the body, the signature or a secret', () => {
    for (const [, request] of [...made, ...unfound]) {
      const text = JSON.stringify(diagnose(request));
      const private_ = [
        '0123456789abcdef',
        'fedcba',
        'أهلا',
        HEX,
        ...(digestOf(`${NOW}.${TEXT}`).match(/.{16}/g) ?? []),
      ];
      expect(private_.filter((part) => text.includes(part))).toEqual([]);
    }
  });
});

/** A request whose signature nothing makes pass. */
const whole = (body: Buffer) => refused({ header: sign(Buffer.from('x'), SECRET, NOW), body });
const short = (request: RefusedRequest) => diagnose(request, { effort: 'short' }).cause;

/** How many steps a diagnosis takes that tries so many secrets. */
function withSecrets(count: number): number {
  const secrets = Array.from({ length: count }, (_, i) => `${SECRET}${i}`);
  return [...diagnoseInSteps({ ...whole(BODY), secrets })].length;
}

describe('its effort', () => {
  it('is short on request: secrets and a final newline, and no body above 64 KiB', () => {
    expect(short(refused({ secrets: [SECRET.slice(5)] }))).toBe('secret_lacks_prefix');
    expect(short(arrived(`${TEXT}\n`))).toBe('newline_removed');
    expect(short(arrived(`\ufeff${TEXT}`))).toBe('another_secret');
    const long = Buffer.alloc(65_537, ' ');
    expect(short({ ...refused({ secrets: [SECRET.slice(5)] }), body: long, header: sign(long, SECRET, NOW) })).toBe(
      'body_changed',
    );
  });

  it.each<[string, Buffer]>([
    ['a gzip of 64 MiB of zeros', gzipSync(Buffer.alloc(64 * 1024 * 1024))],
    ['256 KiB of brackets', Buffer.from('['.repeat(131_072) + ']'.repeat(131_072))],
    ['256 KiB of nested objects', Buffer.from('{"a":'.repeat(43_000) + '1' + '}'.repeat(43_000))],
    ['a string of 256 KiB', Buffer.from(JSON.stringify('"\\é'.repeat(40_000)))],
    [
      '256 KiB of keys',
      Buffer.from(JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i])))),
    ],
    ['256 KiB of CRLF', Buffer.from('\r\n'.repeat(131_072))],
    ['256 KiB of quotation marks', Buffer.from('"'.repeat(262_144))],
  ])('is bounded: %s', (_, body) => {
    const before = process.memoryUsage.rss();
    // Of the processor: a machine that stalls uses none.
    const used = process.cpuUsage();
    expect(diagnose(whole(body)).isFound).toBe(body[0] === 0x1f);
    // Far above what it takes (some 50 ms on a loaded machine), far below what a quadratic step would take (minutes).
    const { user, system } = process.cpuUsage(used);
    expect((user + system) / 1000).toBeLessThan(5000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(300 * 1024 * 1024);
  });

  it('grows with the secrets up to eight of them', () => {
    expect(withSecrets(9)).toBe(withSecrets(8));
    expect(withSecrets(8)).toBeGreaterThan(withSecrets(4));
    expect(withSecrets(8)).toBeLessThan(300);
  });
});
