import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sign, signatureDigest } from '../src/sign.ts';
import { FUTURE_TOLERANCE_SECONDS, verify, verifyBody, type Verdict } from '../src/verify.ts';

const NOW = 1_760_000_000;
const TOLERANCE = 3600;
const SECRET = `wsec_${'5e'.repeat(32)}`;
const OLD_SECRET = `wsec_${'0d'.repeat(32)}`;
const WRONG_SECRET = `wsec_${'bad0'.repeat(16)}`;
const BODY = Buffer.from('{"type": "conversation.started", "cost": 6.78e-05, "score": 0.0}');

const hex = (secret = SECRET, t = String(NOW), body: Uint8Array = BODY) =>
  signatureDigest(body, secret, t).toString('hex');

/** Signs with any `t`, as a sender with the secret and an odd clock would. */
const signedAs = (t: string) => `t=${t},v0=${hex(SECRET, t)}`;

function check(
  header: string | string[] | undefined,
  body: Uint8Array = BODY,
  secrets = [SECRET, OLD_SECRET],
): Verdict {
  return verify(body, header, { secrets, now: NOW, toleranceSeconds: TOLERANCE });
}

const code = (verdict: Verdict) => (verdict.ok ? 'ok' : verdict.code);

type Row = [name: string, expected: string, header: string | string[] | undefined, body?: Uint8Array];

const bytesOf = (text: string) => Buffer.from(text, 'latin1');

const ROWS: Row[] = [
  ['absent', 'signature_missing', undefined],
  ['empty', 'signature_missing', ''],
  ['an empty list', 'signature_missing', []],
  ['sent twice', 'signature_malformed', [sign(BODY, SECRET, NOW), sign(BODY, SECRET, NOW)]],
  ['sent twice and joined on the way', 'signature_malformed', `${sign(BODY, SECRET, NOW)}, ${sign(BODY, SECRET, NOW)}`],
  ['sent once, in a list', 'signature_malformed', [sign(BODY, SECRET, NOW)]],
  ['white space alone', 'signature_malformed', '   '],
  ['no t', 'signature_malformed', `v0=${hex()}`],
  ['t without a value', 'signature_malformed', signedAs('')],
  ['t without an equals sign', 'signature_malformed', `t,v0=${hex(SECRET, '')}`],
  ['hexadecimal t', 'signature_malformed', signedAs('0x68E77700')],
  ['t with spaces', 'signature_malformed', signedAs(` ${NOW} `)],
  ['t in scientific notation', 'signature_malformed', signedAs('1.76e9')],
  ['t in Arabic digits', 'signature_malformed', signedAs('١٧٦٠٠٠٠٠٠٠')],
  ['negative t', 'signature_malformed', signedAs(`-${NOW}`)],
  ['t with a plus sign', 'signature_malformed', signedAs(`+${NOW}`)],
  ['t with a fraction', 'signature_malformed', signedAs(`${NOW}.0`)],
  ['t of thirteen digits', 'signature_malformed', signedAs(`${NOW}000`)],
  ['t that is no number', 'signature_malformed', signedAs('now')],
  ['two t, the same', 'signature_malformed', `t=${NOW},t=${NOW},v0=${hex()}`],
  ['two t, one stale', 'signature_malformed', `t=${NOW - 9999},t=${NOW},v0=${hex()}`],
  ['upper-case T', 'signature_malformed', `T=${NOW},v0=${hex()}`],
  ['no v0', 'signature_malformed', `t=${NOW}`],
  ['v0 without a value', 'signature_malformed', `t=${NOW},v0=`],
  ['upper-case digits', 'signature_malformed', `t=${NOW},v0=${hex().toUpperCase()}`],
  ['upper-case V0', 'signature_malformed', `t=${NOW},V0=${hex()}`],
  ['another scheme', 'signature_malformed', `t=${NOW},v1=${hex()}`],
  ['bare digits, no scheme', 'signature_malformed', `t=${NOW},${hex()}`],
  ['one digit too few', 'signature_malformed', `t=${NOW},v0=${hex().slice(1)}`],
  ['one digit too many', 'signature_malformed', `t=${NOW},v0=${hex()}0`],
  ['64 digits, then no digits', 'signature_malformed', `t=${NOW},v0=${hex()}zz`],
  ['64 characters, not all digits', 'signature_malformed', `t=${NOW},v0=${hex().slice(0, 63)}g`],
  ['a new line after the digits', 'ok', `t=${NOW},v0=${hex()}\n`],
  ['semicolons', 'signature_malformed', `t=${NOW};v0=${hex()}`],
  ['as the provider sends it', 'ok', sign(BODY, SECRET, NOW)],
  ['a space after the comma', 'ok', `t=${NOW}, v0=${hex()}`],
  ['several spaces around the pairs', 'ok', `  t=${NOW} ,   v0=${hex()}  `],
  ['v0 before t', 'ok', `v0=${hex()},t=${NOW}`],
  ['an unknown pair beside', 'ok', `t=${NOW},v0=${hex()},v1=whatever`],
  ['leading zeros in t, signed so', 'ok', signedAs(`0${NOW}`)],
  ['leading zeros in t, signed without', 'signature_mismatch', `t=0${NOW},v0=${hex()}`],
  ['the previous secret', 'ok', sign(BODY, OLD_SECRET, NOW)],
  ['a wrong secret', 'signature_mismatch', sign(BODY, WRONG_SECRET, NOW)],
  ['the secret without its wsec_', 'signature_mismatch', sign(BODY, SECRET.slice(5), NOW)],
  ['several v0, the last one right', 'ok', `t=${NOW},v0=${hex(WRONG_SECRET)},v0=${'0'.repeat(64)},v0=${hex()}`],
  ['several v0, the first one right', 'ok', `t=${NOW},v0=${hex()},v0=${hex(WRONG_SECRET)}`],
  ['several v0, one malformed, one right', 'ok', `t=${NOW},v0=zz,v0=${hex()}`],
  ['several v0, none right', 'signature_mismatch', `t=${NOW},v0=${hex(WRONG_SECRET)},v0=${'0'.repeat(64)}`],
  ['one digit changed', 'signature_mismatch', `t=${NOW},v0=${hex().replace(/^./, (d) => (d === '0' ? '1' : '0'))}`],
  ['another t than the signed one', 'signature_mismatch', `t=${NOW - 1},v0=${hex()}`],
  ['as old as allowed', 'ok', sign(BODY, SECRET, NOW - TOLERANCE)],
  ['a second too old', 'signature_expired', sign(BODY, SECRET, NOW - TOLERANCE - 1)],
  ['as far ahead as allowed', 'ok', sign(BODY, SECRET, NOW + FUTURE_TOLERANCE_SECONDS)],
  ['a second too far ahead', 'signature_expired', sign(BODY, SECRET, NOW + FUTURE_TOLERANCE_SECONDS + 1)],
  ['from 1970', 'signature_expired', sign(BODY, SECRET, 0)],
  ['from the far future', 'signature_expired', sign(BODY, SECRET, 999_999_999_999)],
  ['stale and wrong: only the age is reported', 'signature_expired', sign(BODY, WRONG_SECRET, NOW - 9999)],
  [
    're-printed body',
    'signature_mismatch',
    sign(BODY, SECRET, NOW),
    Buffer.from(JSON.stringify(JSON.parse(BODY.toString()))),
  ],
  ['a body with a new line added', 'signature_mismatch', sign(BODY, SECRET, NOW), Buffer.concat([BODY, bytesOf('\n')])],
  [
    'other bytes that decode to the same U+FFFD',
    'signature_mismatch',
    sign(bytesOf('{"a":"\xff"}'), SECRET, NOW),
    bytesOf('{"a":"\xfe"}'),
  ],
  ['invalid UTF-8, signed so', 'ok', sign(bytesOf('{"a":"\xff"}'), SECRET, NOW), bytesOf('{"a":"\xff"}')],
  ['empty body, signed so', 'ok', sign(bytesOf(''), SECRET, NOW), bytesOf('')],
  ['empty body under another signature', 'signature_mismatch', sign(BODY, SECRET, NOW), bytesOf('')],
];

describe('verify', () => {
  test.each(ROWS)('%s: %s', (_, expected, header, body) => {
    expect(code(check(header, body))).toBe(expected);
  });

  test('returns when it was signed, and names the secret without revealing it', () => {
    const current = check(sign(BODY, SECRET, NOW - 7));
    const previous = check(sign(BODY, OLD_SECRET, NOW - 7));

    expect(current).toEqual({ ok: true, secretId: expect.stringMatching(/^[0-9a-f]{8}$/), signedAt: NOW - 7 });
    expect(previous).toEqual({ ok: true, secretId: expect.stringMatching(/^[0-9a-f]{8}$/), signedAt: NOW - 7 });
    expect(previous).not.toEqual(current);
  });

  test.each(ROWS)('never answers with a secret or the signature it expected: %s', (_, _expected, header, body) => {
    const verdict = JSON.stringify(check(header, body));

    const timestamp = /t=(\d+)/.exec(String(header))?.[1] ?? '';
    for (const secret of [SECRET, OLD_SECRET]) {
      expect(verdict).not.toContain(secret);
      expect(verdict).not.toContain(secret.slice(5));
      expect(verdict).not.toContain(hex(secret, timestamp, body));
    }
  });

  test('accepts nothing when there is no secret', () => {
    expect(code(check(sign(BODY, SECRET, NOW), BODY, []))).toBe('signature_mismatch');
  });

  test.each([
    ['now', { now: Number.NaN, toleranceSeconds: TOLERANCE }],
    ['the tolerance', { now: NOW, toleranceSeconds: Number.NaN }],
  ])('refuses when %s is not a number', (_, options) => {
    expect(code(verify(BODY, sign(BODY, SECRET, NOW), { secrets: [SECRET], ...options }))).toBe('signature_expired');
  });

  test('never throws and never accepts a header made without the secret', () => {
    const hexDigits = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 60, maxLength: 68 });
    const pair = fc
      .tuple(
        fc.constantFrom('t', 'v0', ' t', 'v0 ', 'T', 'v1', ''),
        fc.oneof(fc.constant(`${NOW}`), hexDigits, fc.string()),
      )
      .map(([name, value]) => `${name}=${value}`);
    const header = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pair).map((pairs) => pairs.join(',')),
    );

    fc.assert(
      fc.property(header, fc.uint8Array(), (text, body) => {
        expect(check(text, body).ok).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test('accepts every signed body, and no other', () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.uint8Array(),
        fc.integer({ min: -TOLERANCE, max: 300 }),
        (body, other, offset) => {
          const header = sign(body, SECRET, NOW + offset);
          expect(code(check(header, body))).toBe('ok');
          expect(code(check(header, other))).toBe(Buffer.compare(body, other) === 0 ? 'ok' : 'signature_mismatch');
        },
      ),
    );
  });
});

test('agrees with Node about bodies of any size in any pieces, and secrets of any length', () => {
  const sizes = fc.array(fc.constantFrom(0, 1, 251, 8191, 8192, 8193, 16_384, 40_000), { minLength: 1, maxLength: 3 });
  const secret = fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }).filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(sizes, secret, fc.integer({ min: 0, max: 255 }), (lengths, key, byte) => {
      const pieces = lengths.map((length, i) => Buffer.alloc(length, (byte + i) % 256));
      const expected = createHmac('sha256', key).update(`${NOW}.`).update(Buffer.concat(pieces)).digest();
      const read = (signature: Buffer) => ({ ok: true as const, timestamp: String(NOW), signatures: [signature] });
      expect(verifyBody(pieces, read(expected), [OLD_SECRET, key]).ok).toBe(true);
      expect(verifyBody(pieces, read(Buffer.from(expected).fill(7, 31)), [OLD_SECRET, key]).ok).toBe(
        expected[31] === 7,
      );
    }),
  );
});
