import { describe, expect, test } from 'vitest';
import { jsonOrText } from '../src/json-or-text.ts';
import { isObject, MAX_JSON_DEPTH, parseJson, type Json } from '../src/json.ts';

function parsed(text: string): Json {
  const result = parseJson(text);
  if (!result.ok) throw new Error(`${result.code}: ${text.slice(0, 80)}`);
  return result.value;
}

const code = (text: string) => {
  const result = parseJson(text);
  return result.ok ? 'ok' : result.code;
};

describe('numbers', () => {
  test.each([
    ['9007199254740991', 9_007_199_254_740_991],
    ['-9007199254740991', -9_007_199_254_740_991],
    ['9007199254740992', '9007199254740992'],
    ['9007199254740993', '9007199254740993'],
    ['-12345678901234567890', '-12345678901234567890'],
    ['1e308', 1e308],
    ['1e309', '1e309'],
    ['-1e309', '-1e309'],
    ['1E+400', '1E+400'],
    ['1.5e999', '1.5e999'],
    ['6.78e-05', 0.0000678],
    ['0.0', 0],
    ['-0', -0],
    ['0.3704247010173276', 0.370_424_701_017_327_6],
    ['1e5', 100_000],
  ])('%s', (text, value) => {
    expect(parsed(text)).toBe(value);
    expect(parsed(`[${text}, {"a" : ${text}}]`)).toEqual([value, { a: value }]);
  });

  test('a number too large is text also in the JSON that a string holds', () => {
    expect(jsonOrText('{"order_id": 12345678901234567890, "total": 1e400, "n": 7}')).toEqual({
      order_id: '12345678901234567890',
      total: '1e400',
      n: 7,
    });
    expect(jsonOrText('12345678901234567890')).toBe('12345678901234567890');
  });

  test.each([
    '01234567890',
    '1.e400',
    '.5e400',
    '+1e400',
    '1e400e1',
    '--12345678901234567890',
    '1e',
    '0x1e400',
    '1e400.5',
  ])('what is no JSON number makes no JSON: %s', (text) => {
    expect(code(text)).toBe('body_not_json');
    expect(code(`{"a": ${text}}`)).toBe('body_not_json');
  });

  test.each(['{12345678901234567890: 1}', '{"a": 1, 1e400 : 2}', '[1e400 1e400]', '1e400"a"', '{"a" 1e400}'])(
    'a number too large where no number may stand makes no JSON: %s',
    (text) => {
      expect(code(text)).toBe('body_not_json');
    },
  );
});

describe('strings', () => {
  test.each([
    ['digits', '12345678901234567890'],
    ['an exponent', 'costs 1e400 or -1e400'],
    ['JSON', '{"a": 12345678901234567890, "b": [1e400]}'],
    ['quotes and digits', '" 12345678901234567890 "'],
    ['a backslash at the end', '12345678901234567890\\'],
    ['backslashes before a quote', '\\\\" 1e400 \\"'],
    ['brackets', '[[[[{{{{'],
    ['an escape in letters', String.raw`\u0000 and \ud800`],
  ])('are untouched: %s', (_, text) => {
    const body = { [text]: text, list: [text, 1, text], after: 5 };

    expect(parsed(JSON.stringify(body))).toEqual(body);
    expect(parsed(JSON.stringify(body, null, 2))).toEqual(body);
  });

  test.each([
    [String.raw`"a\u0000b"`, 'a\ufffdb'],
    [String.raw`"\ud800"`, '\ufffd'],
    [String.raw`"\uDFFF!"`, '\ufffd!'],
    [String.raw`"\ude00\ud83d"`, '\ufffd\ufffd'],
    [String.raw`"\ud83d\ude00"`, '😀'],
    [String.raw`"\\u0000 \u0000"`, '\\u0000 \ufffd'],
  ])('what Postgres cannot keep becomes U+FFFD: %s', (text, value) => {
    expect(parsed(text)).toBe(value);
    expect(parsed(`[{"k": [${text}]}]`)).toEqual([{ k: [value] }]);
    expect(parsed(`{${text}: 1}`)).toEqual({ [value]: 1 });
    expect(jsonOrText(`{"k": ${text}}`)).toEqual({ k: value });
  });
});

describe('objects', () => {
  test('of a key that stands twice the last one counts', () => {
    expect(parsed('{"a": 1, "b": 2, "a": 3}')).toEqual({ a: 3, b: 2 });
    expect(parsed('{"a": 12345678901234567890, "a": 3}')).toEqual({ a: 3 });
  });

  test.each([
    ['as it is', '{"__proto__": {"admin": true}, "constructor": 1, "a": 2}'],
    [
      'beside what has to be replaced',
      String.raw`{"__proto__": {"admin": true}, "constructor": 1, "a": 2, "b": "\u0000"}`,
    ],
  ])('__proto__ is a key like any other, %s', (_, text) => {
    const value = parsed(text);

    expect(isObject(value) && Object.keys(value)).toEqual(expect.arrayContaining(['__proto__', 'constructor', 'a']));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value).not.toHaveProperty('admin');
    expect({}).not.toHaveProperty('admin');
  });
});

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('limits', () => {
  test('takes as many levels as it says, and no more', () => {
    expect(code(nested(MAX_JSON_DEPTH))).toBe('ok');
    expect(code(nested(MAX_JSON_DEPTH + 1))).toBe('json_too_deep');
    expect(code(`${'{"a":'.repeat(MAX_JSON_DEPTH)}1${'}'.repeat(MAX_JSON_DEPTH)}`)).toBe('ok');
    expect(code(`${'{"a":'.repeat(MAX_JSON_DEPTH + 1)}1${'}'.repeat(MAX_JSON_DEPTH + 1)}`)).toBe('json_too_deep');
  });

  test('counts levels, not brackets', () => {
    expect(code(`[${Array.from({ length: 1000 }, () => '[]').join(',')}]`)).toBe('ok');
    expect(code(JSON.stringify('['.repeat(10_000)))).toBe('ok');
  });

  test('a megabyte of brackets does not overflow the stack', () => {
    expect(code('['.repeat(1024 * 1024))).toBe('json_too_deep');
    expect(code(nested(1024 * 512))).toBe('json_too_deep');
    expect(jsonOrText(nested(100_000))).toBe(nested(100_000));
  });

  test('a megabyte of quotes and backslashes is read in one go', () => {
    const text = '\\"'.repeat(512 * 1024);
    expect(parsed(JSON.stringify({ text }))).toEqual({ text });
    expect(code(`"${'\\'.repeat(1024 * 1024)}`)).toBe('body_not_json');
  });
});

test.each([
  '',
  ' ',
  '{',
  '{"a":}',
  "{'a': 1}",
  '{"a": NaN}',
  '{"a": 1,}',
  '{"a": 1} {"b": 2}',
  'null null',
  '\ufeff',
  '"\0"',
  '"\n"',
])('is not JSON: %j', (text) => {
  expect(code(text)).toBe('body_not_json');
});

test('passes over a byte order mark, but not over two', () => {
  expect(parsed('\ufeff{"a": 12345678901234567890}')).toEqual({ a: '12345678901234567890' });
  expect(code('\ufeff\ufeff{}')).toBe('body_not_json');
});
