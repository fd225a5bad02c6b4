import { expect, test } from 'vitest';
import { textMatcher } from '../../src/find/text-matcher.ts';

test.each([
  ['Hello', '{"m":"say hello there"}', true],
  ['hello', '{"m":"HELLO"}', true],
  ['مرحبا', '{"m":"مرحبا بك"}', true],
  ['مرحبا', '{"m":"\\u0645\\u0631\\u062d\\u0628\\u0627"}', true],
  ['مرحبا', '{"m":"\\u0645\\u0631\\u062D\\u0628\\u0627"}', true],
  ['Ärger', '{"m":"\\u00e4RGER"}', true],
  ['👋', '{"m":"\\ud83d\\udc4b"}', true],
  ['say "no"', '{"m":"say \\"no\\""}', true],
  ['a/b', '{"m":"a\\/b"}', true],
  ['two\nlines', '{"m":"two\\nlines"}', true],
  ['back\\slash', '{"m":"back\\\\slash"}', true],
  // An escaped backslash before a u is no escape of a character.
  ['\\u0041', '{"m":"\\\\u0041"}', true],
  ['A', '{"m":"\\\\u0041"}', false],
  ['hello', '{"m":"hallo"}', false],
])('%s in %s: %s', (text, body, isThere) => {
  expect(textMatcher(text)(Buffer.from(body))).toBe(isThere);
});

test('bytes that are no UTF-8 hide nothing beside them', () => {
  const body = Buffer.concat([Buffer.from([0xff, 0xfe, 0x00]), Buffer.from('needle')]);
  expect(textMatcher('Needle')(body)).toBe(true);
  expect(textMatcher('\ufffe')(body)).toBe(false);
});
