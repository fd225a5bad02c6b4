import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable } from '../src/printable.ts';

test.each([
  ['conv_7401k9n2x8fae5vbq3t6m0cgdr4h', 'conv_7401k9n2x8fae5vbq3t6m0cgdr4h'],
  ['محادثة-٧ 👋 ü', 'محادثة-٧ 👋 ü'],
  ['c\u001b[2Jc', 'c\\u001b[2Jc'],
  ['c\r\nforged', 'c\\u000d\\u000aforged'],
  ['\u009b31mred', '\\u009b31mred'],
  ['a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
  ['a\u200bb\ufeffc', 'a\\u200bb\\ufeffc'],
  ['a\u2028b', 'a\\u2028b'],
  ['a\u007fb\u0000', 'a\\u007fb\\u0000'],
  ['tag \u{e0041}', 'tag \\u{e0041}'],
  ['half \ud83d', 'half \\ud83d'],
  ['', ''],
])('%j: %s', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('holds nothing that a terminal obeys, and is the same when it is made printable again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = printable(text);
      expect(shown).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
      expect(printable(shown)).toBe(shown);
    }),
  );
});
