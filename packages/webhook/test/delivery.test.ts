import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bodyBytes,
  bodyLength,
  deliveryOf,
  deliverySchema,
  fieldsOf,
  writeBody,
  type Delivery,
} from '../src/delivery.ts';
import { packEvents, unpackEvents, type PackedEvents } from '../src/packed-events.ts';

const FACTS = { receivedAt: 1_767_225_600_123, signedAt: 1_767_225_600, secretId: 'ab12' };

/** In place of events that were not packed: to unpack it fails. */
const UNPACKED: PackedEvents = { bytes: 0, fieldBytes: 0, crc32: 0, packed: Buffer.alloc(0) };

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

test.each([
  ['in JSON', (delivery: Delivery): unknown => JSON.parse(JSON.stringify(delivery))],
  ['packed', (delivery: Delivery): unknown => unpackEvents(packEvents([delivery], 16_384) ?? UNPACKED)[0]],
])("the name of a request's span travels %s, with a short body and a long one", (_, travel) => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  for (const bytes of [10, 50_000]) {
    const delivery = deliveryOf(Buffer.alloc(bytes, 'x'), { ...FACTS, traceparent });
    expect(travel(delivery)).toEqual({ ...FACTS, traceparent, encoding: 'utf8', body: 'x'.repeat(bytes) });
  }
});

test("a span's name that is no text is left out, and its delivery is good all the same", () => {
  const plain = { ...FACTS, encoding: 'utf8', body: '' };
  expect(deliverySchema.parse({ ...plain, traceparent: 5 })).toEqual(plain);
  expect(deliverySchema.parse(plain)).toEqual(plain);
});

/** Characters of one to four bytes, and bytes that are none. */
const HARD = ['a', 'é', '€', '👋', '\ufeff'].map((character) => Buffer.from(character));
const BROKEN = [[0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x91], [0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80]].map(
  (bytes) => Buffer.from(bytes),
);

test('a body in pieces is the same delivery as in one, wherever it is cut', () => {
  const bodies = fc
    .array(fc.constantFrom(...HARD, ...HARD, ...HARD, ...BROKEN), { maxLength: 8 })
    .map((parts) => Buffer.concat(parts));
  fc.assert(
    fc.property(bodies, fc.array(fc.nat({ max: 24 }), { maxLength: 6 }), (body, cuts) => {
      const ends = [0, ...cuts.toSorted((a, b) => a - b), body.length];
      const pieces = ends.slice(1).map((end, i) => body.subarray(ends[i], end));
      expect(deliveryOf(pieces, FACTS)).toEqual(deliveryOf(body, FACTS));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['a few thousand bytes', 4096],
  ['just under 32 KiB', 32_767],
  ['32 KiB', 32_768],
  ['100,000 bytes', 100_000],
])('%s are text to everyone who reads it, and bytes to those who write them', (_, length) => {
  const text = 'é€👋 '.repeat(100);
  const bytes = Buffer.from(text.padEnd(length - (Buffer.byteLength(text) - text.length), 'x'));
  expect(bytes).toHaveLength(length);
  const reference = { eventId: 'an id', bytes: 5 };
  const delivery = deliveryOf([bytes.subarray(0, 1001), bytes.subarray(1001)], {
    ...FACTS,
    origin: 'backfill',
    reference,
  });
  const plain = { ...FACTS, origin: 'backfill', reference, encoding: 'utf8', body: bytes.toString() };
  expect(delivery).toEqual(plain);
  expect({ ...delivery, signedAt: 2 }).toEqual({ ...plain, signedAt: 2 });
  expect(JSON.parse(JSON.stringify(delivery))).toEqual(plain);
  expect(bodyLength(delivery)).toBe(bytes.length);
  expect(bodyBytes(delivery).equals(bytes)).toBe(true);
  const target = Buffer.alloc(bytes.length + 5, '-');
  expect(writeBody(delivery, target, 2)).toBe(bytes.length);
  expect(target.equals(Buffer.concat([Buffer.from('--'), bytes, Buffer.from('---')]))).toBe(true);
  expect(JSON.parse(JSON.stringify(fieldsOf(delivery, 7)))).toEqual({
    ...FACTS,
    origin: 'backfill',
    reference,
    encoding: 'utf8',
    bytes: 7,
  });
});

test('a large body that is no UTF-8 travels as base64 and is written as it was', () => {
  const bytes = Buffer.alloc(50_000, 0xff);
  const delivery = deliveryOf(bytes, FACTS);
  expect(delivery).toEqual({ ...FACTS, encoding: 'base64', body: bytes.toString('base64') });
  const target = Buffer.alloc(50_000);
  expect([writeBody(delivery, target, 0), bodyLength(delivery)]).toEqual([50_000, 50_000]);
  expect(target.equals(bytes)).toBe(true);
});

test.each([
  [32_767, false],
  [32_768, true],
])('of a body of %i bytes the text is made when it is read: %s', (length, isKept) => {
  const delivery = deliveryOf(Buffer.alloc(length, 'x'), FACTS);
  expect(Object.getOwnPropertyDescriptor(delivery, 'body')?.get !== undefined).toBe(isKept);
});

test('a large delivery that gets another body, or another field, has it', () => {
  const delivery: Delivery & { later?: number } = deliveryOf(Buffer.alloc(50_000, 'x'), FACTS);
  delivery.later = 5;
  expect(fieldsOf(delivery, 7)).toMatchObject({ ...FACTS, later: 5, bytes: 7 });
  Object.assign(delivery, { body: 'another' });
  expect([delivery.body, bodyLength(delivery), bodyBytes(delivery).toString()]).toEqual(['another', 7, 'another']);
  expect(JSON.parse(JSON.stringify(delivery))).toEqual({ ...FACTS, encoding: 'utf8', later: 5, body: 'another' });
});

test('a copy with another body has that body', () => {
  const copy = { ...deliveryOf(Buffer.alloc(50_000, 'x'), FACTS), body: 'another' };
  expect([bodyLength(copy), bodyBytes(copy).toString()]).toEqual([7, 'another']);
  expect(fieldsOf({ ...copy, origin: 'replay' }, 7)).toMatchObject({ ...FACTS, origin: 'replay', bytes: 7 });
});
