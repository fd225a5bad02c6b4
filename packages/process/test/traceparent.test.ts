import { expect, test } from 'vitest';
import { readTraceparent, writeTraceparent } from '../src/traceparent.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test.each([
  [`00-${TRACE}-${SPAN}-01`, 1],
  [`00-${TRACE}-${SPAN}-00`, 0],
  // Flags of later levels are nothing that a link needs.
  [`00-${TRACE}-${SPAN}-03`, 1],
  [`cc-${TRACE}-${SPAN}-01`, 1],
  [`cc-${TRACE}-${SPAN}-01-what-will-be`, 1],
])('%s names a span', (text, traceFlags) => {
  expect(readTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags, isRemote: true });
});

test.each([
  ['nothing', ''],
  ['two headers in one', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
  ['capital letters', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['a version that is not allowed', `ff-${TRACE}-${SPAN}-01`],
  ['more than its version has', `00-${TRACE}-${SPAN}-01-more`],
  ['an id that is too long', `00-${TRACE}0-${SPAN}-01`],
  ['a line break', `00-${TRACE}-${SPAN}-01\n`],
])('a text with %s names none', (_, text) => {
  expect(readTraceparent(text)).toBeUndefined();
});

test('what is written is read again; a span that is not recorded has no name', () => {
  const span = { traceId: TRACE, spanId: SPAN, traceFlags: 1 };
  expect(writeTraceparent(span)).toBe(`00-${TRACE}-${SPAN}-01`);
  expect(readTraceparent(writeTraceparent(span) ?? '')).toEqual({ ...span, isRemote: true });
  expect(writeTraceparent({ ...span, traceFlags: 0 })).toBeUndefined();
  expect(writeTraceparent({ ...span, spanId: '0'.repeat(16) })).toBeUndefined();
});
