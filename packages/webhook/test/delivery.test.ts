import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bodyBytes, bodyLength, deliveryOf, deliverySchema } from '../src/delivery.ts';

const FACTS = { receivedAt: 1_767_225_600_123, signedAt: 1_767_225_600, secretId: 'ab12' };

test('a body of valid UTF-8 travels as text, with its byte order mark', () => {
  const delivery = deliveryOf(Buffer.from('\ufeff{"é":"👋"}'), FACTS);
  expect(delivery).toEqual({ ...FACTS, encoding: 'utf8', body: '\ufeff{"é":"👋"}' });
  expect(bodyLength(delivery)).toBe(16);
});

test('a body that is no UTF-8 travels as base64', () => {
  const delivery = deliveryOf(Uint8Array.of(0xff, 0x00, 0xfe), { ...FACTS, origin: 'replay' });
  expect(delivery).toEqual({ ...FACTS, origin: 'replay', encoding: 'base64', body: '/wD+' });
  expect(bodyLength(delivery)).toBe(3);
});

test('any bytes come back as they were, also those of a part of a buffer, and through JSON', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 50 }), (bytes, start) => {
      const part = bytes.subarray(start);
      const delivery = deliverySchema.parse(JSON.parse(JSON.stringify(deliveryOf(part, FACTS))));
      expect(bodyBytes(delivery)).toEqual(Buffer.from(part));
      expect(bodyLength(delivery)).toBe(part.length);
    }),
  );
});

test.each([
  ['no time of receipt', { receivedAt: null }],
  ['a time of signing that is text', { signedAt: '1767225600' }],
  ['no name of a secret', { secretId: undefined }],
  ['another encoding', { encoding: 'hex' }],
  ['another origin', { origin: 'somewhere' }],
])('what has %s is no delivery', (_, fields) => {
  expect(deliverySchema.safeParse({ ...FACTS, encoding: 'utf8', body: '', ...fields }).success).toBe(false);
});
