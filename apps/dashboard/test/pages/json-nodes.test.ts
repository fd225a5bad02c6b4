import { describe, expect, it } from 'vitest';
import { closeCutJson, ExactNumber, parseExactly } from '../../pages/parts/cut-json.ts';
import { jsonText, openAtFirst, visibleNodes } from '../../pages/parts/json-nodes.ts';

describe('JSON that was cut off', () => {
  it.each([
    ['{"a":1,"b":"x', { a: 1 }],
    ['{"a":[1,2,{"b":tr', { a: [1, 2, {}] }],
    ['{"a":{"b":"}\\"],"},"c', { a: { b: '}"],' } }],
    ['[{"a":1},', [{ a: 1 }]],
    ['{"a\\', {}],
  ])('is closed: %s', (text, value) => {
    expect(JSON.parse(closeCutJson(text) ?? 'null')).toEqual(value);
  });

  it('is none where no value is whole', () => {
    expect(closeCutJson('"abc')).toBeUndefined();
  });
});

it('keeps the digits of a number that JavaScript would round', () => {
  const value = parseExactly('{"id":12345678901234567890,"n":7,"price":0.1}');
  expect(value).toEqual({ id: new ExactNumber('12345678901234567890'), n: 7, price: 0.1 });
  expect(jsonText(value)).toBe('{\n  "id": 12345678901234567890,\n  "n": 7,\n  "price": 0.1\n}');
});

describe('the lines of a tree', () => {
  it('are those of open values alone', () => {
    const value = { a: { b: 1 }, c: [true, null] };
    const nodes = visibleNodes(value, { open: new Set(['$', '$."c"']), shown: new Map() });
    expect(nodes.map(({ path, level, size }) => [path, level, size])).toEqual([
      ['$', 1, 2],
      ['$."a"', 2, 1],
      ['$."c"', 2, 2],
      ['$."c"[0]', 3, undefined],
      ['$."c"[1]', 3, undefined],
    ]);
  });

  it('end with how many more there are', () => {
    const nodes = visibleNodes(
      Array.from({ length: 250 }, (_, index) => index),
      { open: new Set(['$']), shown: new Map() },
    );
    expect(nodes).toHaveLength(102);
    expect(nodes.at(-1)).toMatchObject({ more: 150, level: 2 });
  });

  it('are closed at first where a value has many', () => {
    const open = openAtFirst({ small: { x: {} }, large: Array.from({ length: 61 }, () => 0) }, 2);
    expect(open).toEqual(new Set(['$', '$."small"']));
  });

  it('have a path of their own each, whatever the names are', () => {
    const nodes = visibleNodes({ 'a.b': 1, a: { b: 2 }, '': 3 }, { open: new Set(['$', '$."a"']), shown: new Map() });
    expect(new Set(nodes.map(({ path }) => path)).size).toBe(nodes.length);
  });
});
