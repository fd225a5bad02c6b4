import { describe, expect, test } from 'vitest';
import { fieldsOf, hasContent, isFilled, withoutEmpties } from '../src/fields.ts';
import type { Json } from '../src/json.ts';

describe('a reader', () => {
  test('returns the first name that has the wanted form, and leaves the others in the rest', () => {
    const fields = fieldsOf({ id: { no: 'text' }, name: 'a', label: 'b' });
    expect(fields.text('id', 'name', 'label')).toBe('a');
    expect(fields.rest()).toEqual({ id: { no: 'text' }, label: 'b' });
  });

  test('searches all names in a layer before the next layer', () => {
    const fields = fieldsOf({ second: 'upper' }, { first: 'lower' });
    expect(fields.text('first', 'second')).toBe('upper');
  });

  test('searches the next layer where a field has another form or is null', () => {
    const fields = fieldsOf({ cost: 'free', agent: null }, { cost: '12.5', agent: 'a1' });
    expect(fields.number('cost')).toBe(12.5);
    expect(fields.text('agent')).toBe('a1');
  });

  test('ignores the layers that are undefined', () => {
    expect(fieldsOf(undefined, { name: 'a' }, undefined).text('name')).toBe('a');
  });

  test('does not find names of the prototype', () => {
    const fields = fieldsOf({ name: 'a' });
    expect([fields.any('constructor'), fields.content('toString'), fields.isNull('valueOf')]).toEqual([
      undefined,
      undefined,
      false,
    ]);
  });

  test.each<[string, Json, unknown]>([
    ['a text', 'a', 'a'],
    ['a number', 1.5, '1.5'],
    ['a boolean', false, 'false'],
    ['an empty text', '', undefined],
    ['an object', { a: 1 }, undefined],
    ['an array', ['a'], undefined],
  ])('of text reads %s', (_, value, text) => {
    expect(fieldsOf({ value }).text('value')).toBe(text);
  });

  test.each<[Json, unknown]>([
    ['-1.5e3', -1500],
    ['0', 0],
    [0, 0],
    ['', undefined],
    ['0x10', undefined],
    [' 1', undefined],
    ['1e999', undefined],
    [true, undefined],
  ])('of numbers reads %j as %s', (value, number) => {
    expect(fieldsOf({ value }).number('value')).toBe(number);
  });

  test('of keys takes 256 characters at most', () => {
    expect(fieldsOf({ value: 'x'.repeat(256) }).key('value')).toHaveLength(256);
    const tooLong = fieldsOf({ value: 'x'.repeat(257) });
    expect(tooLong.key('value')).toBeUndefined();
    expect(tooLong.rest()).toEqual({ value: 'x'.repeat(257) });
  });

  test('of booleans takes no text', () => {
    const fields = fieldsOf({ yes: true, no: false, text: 'true' });
    expect([fields.boolean('yes'), fields.boolean('no'), fields.boolean('text')]).toEqual([true, false, undefined]);
    expect(fields.rest()).toEqual({ text: 'true' });
  });

  test('of a table compares without case, and leaves a word that the table lacks', () => {
    const table = new Map([['done', 1]]);
    const fields = fieldsOf({ status: 'DONE', other: 'undone' });
    expect([fields.oneOf(table, 'status'), fields.oneOf(table, 'other')]).toEqual([1, undefined]);
    expect(fields.rest()).toEqual({ other: 'undone' });
  });

  test('of a form leaves a text for which the form returns nothing', () => {
    const fields = fieldsOf({ language: 'unknown', main_language: 'ar' });
    const table = new Map([['ar', 'Arabic']]);
    expect(fields.textAs((text) => table.get(text), 'language', 'main_language')).toBe('Arabic');
    expect(fields.rest()).toEqual({ language: 'unknown' });
  });

  test('of content passes over empty values, which are not in the rest either', () => {
    const fields = fieldsOf({ error: {}, reason: '', cause: [] });
    expect(fields.content('error', 'reason', 'cause')).toEqual([]);
    expect(fields.rest()).toEqual({});
  });
});

test('a field is null where the first layer that has it says so', () => {
  expect(fieldsOf({ phone_call: null }, { phone_call: {} }).isNull('phone_call')).toBe(true);
  expect(fieldsOf({ phone_call: {} }, { phone_call: null }).isNull('phone_call')).toBe(false);
  expect(fieldsOf({ other: null }, { phone_call: null }).isNull('phone_call')).toBe(true);
  expect(fieldsOf({}).isNull('phone_call')).toBe(false);
});

describe('the rest', () => {
  test("has an earlier layer's field before the same field of a later one", () => {
    expect(fieldsOf({ a: 1 }, { a: 2, b: 3 }).rest()).toEqual({ a: 1, b: 3 });
  });

  test('has no field that is null, and so does not hide the same field of a later layer', () => {
    expect(fieldsOf({ a: null }, { a: 2 }).rest()).toEqual({ a: 2 });
  });

  test('has a field named __proto__ as an ordinary one', () => {
    const fields = fieldsOf(Object.fromEntries([['__proto__', { a: 1 }]]));
    expect(JSON.stringify(fields.rest())).toBe('{"__proto__":{"a":1}}');
    expect(Object.getPrototypeOf(fields.rest())).toBe(Object.prototype);
  });
});

describe('an inner object', () => {
  test('laid over its fields is read first, and the fields supply what it lacks', () => {
    const fields = fieldsOf({ metadata: { cost: 1 }, cost: 2, title: 'a' });
    const over = fields.over('metadata');
    expect([over.number('cost'), over.text('title')]).toEqual([1, 'a']);
    expect(fields.rest()).toEqual({ cost: 2, title: 'a' });
  });

  test('that is missing leaves the fields as they are', () => {
    const fields = fieldsOf({ title: 'a' });
    expect(fields.over('metadata').text('title')).toBe('a');
    expect(fields.rest()).toEqual({});
  });

  test('unfolded is read last, and its unread fields are in the rest', () => {
    const fields = fieldsOf({ metadata: { cost: 1, channel: 'phone' }, cost: 2 });
    fields.unfold('metadata');
    expect([fields.number('cost'), fields.text('channel')]).toEqual([2, 'phone']);
    expect(fields.rest()).toEqual({ cost: 1 });
  });
});

test.each<[Json, boolean, boolean]>([
  [null, false, false],
  ['', false, false],
  [{}, false, false],
  [[], true, false],
  [0, true, true],
  [false, true, true],
  [' ', true, true],
  [[null], true, true],
  [{ a: null }, true, true],
])('%j: has content %s, is filled %s', (value, content, filled) => {
  expect([hasContent(value), isFilled(value)]).toEqual([content, filled]);
});

test('an object without its empties keeps the values that have content', () => {
  expect(withoutEmpties({ a: '', b: {}, c: null, d: 0, e: [], f: 'x' })).toEqual({ d: 0, e: [], f: 'x' });
  expect(isFilled(undefined)).toBe(false);
});
