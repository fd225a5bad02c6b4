import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isObject, parseJson } from '../src/json.ts';

/** The value that parseJson promises, computed in a slow and simple way. */
function expected(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(/\p{Surrogate}|\0/gu, '\ufffd');
  if (typeof value === 'number') {
    const text = JSON.stringify(value);
    return /^-?\d+$/.test(text) && !Number.isSafeInteger(value) ? text : Number(text);
  }
  if (Array.isArray(value)) return value.map(expected);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [String(expected(key)), expected(item)]));
}

const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom('"', '\\', '1', 'e', '\0', '\ud800', '\udc00', '[', '{', ','),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
});
const anyJson = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    anyText,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.maxSafeInteger(),
    fc.integer({ min: 0, max: 20 }).map((n) => 10 ** n),
    fc.constantFrom(null, true, false),
    fc.array(tie('node')),
    fc.dictionary(fc.oneof(anyText, fc.constantFrom('__proto__', 'toString')), tie('node')),
  ),
})).node;

test('any JSON comes back as it was, but for what cannot be stored', () => {
  fc.assert(
    fc.property(anyJson, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      expect(parseJson(JSON.stringify(value, null, indent))).toEqual({ ok: true, value: expected(value) });
    }),
    { numRuns: 2000 },
  );
});

test('agrees with JSON.parse on what is JSON', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '-',
    '1',
    '1e400',
    '12345678901234567890',
    'e',
    '.',
    ' ',
    'null',
    '"a"',
  );
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
      (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        expect(parseJson(text)).toMatchObject(isJson ? { ok: true } : { ok: false, code: 'body_not_json' });
      },
    ),
    { numRuns: 20_000 },
  );
});
