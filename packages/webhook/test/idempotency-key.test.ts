import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { idempotencyKey } from '../src/idempotency-key.ts';

test.each([
  ['', 'e3b0c442-98fc-1c14-9afb-f4c8996fb924'],
  ['abc', 'ba7816bf-8f01-cfea-4141-40de5dae2223'],
])('%j, as every SHA-256 begins', (body, key) => {
  expect(idempotencyKey(Buffer.from(body))).toBe(key);
});

test('is the first 16 bytes of the SHA-256 of the bytes, written as a uuid', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (body) => {
      const key = idempotencyKey(body);
      expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
      expect(key.replaceAll('-', '')).toBe(createHash('sha256').update(body).digest('hex').slice(0, 32));
    }),
  );
});

test('other bytes for the same facts are another event', () => {
  expect(idempotencyKey(Buffer.from('{"a": 1}'))).not.toBe(idempotencyKey(Buffer.from('{"a":1}')));
});
