import { brotliCompressSync, crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { deliveryOf, type Delivery } from '../src/delivery.ts';
import { packEvents, unpackEvents, type PackedEvents } from '../src/packed-events.ts';

const FACTS = { receivedAt: 1, signedAt: 1, secretId: 'x' };

const ENDS_EARLY = '[{"receivedAt":1,"signedAt":1,"secretId":"","encoding":"utf8","bytes":10}]one';

const holding = (text: string): Buffer => brotliCompressSync(text);

/** Packs as if the bodies were worth it. */
function pack(events: readonly Delivery[]): PackedEvents {
  const packed = packEvents(events, 16_384);
  if (packed === undefined) throw new Error('It was not packed.');
  return packed;
}

it('packs one group after another, each by itself', () => {
  const groups = [3, 100_000, 10, 1_000_000].map((bytes) => [deliveryOf(Buffer.alloc(bytes, `${bytes} `), FACTS)]);
  const packed = groups.map(pack);
  expect(packed.map(unpackEvents)).toEqual(groups);
});

it.each([
  ['an event below 4 KiB', 1, 4095, false],
  ['an event of 4 KiB', 1, 4096, true],
  ['small events below 16 KiB together', 5, 16_383, false],
  ['small events of 16 KiB together', 5, 16_384, true],
  ['an event of a mebibyte', 1, 1_048_576, true],
  ['an event above a mebibyte', 1, 1_048_577, false],
])('%s: whether it is packed', (_, count, bytes, isPacked) => {
  const events = Array.from({ length: count }, () => deliveryOf(Buffer.from('x'), FACTS));
  expect(packEvents(events, bytes) !== undefined).toBe(isPacked);
});

it('does not pack what it would not unpack, or what it has no memory for', () => {
  const fields = { ...deliveryOf(Buffer.from('x'), FACTS), later: 'x'.repeat(4_194_304) };
  expect(packEvents([fields], 5000)).toBeUndefined();
  const failing: Delivery = Object.defineProperty(deliveryOf(Buffer.from('x'), FACTS), 'body', {
    get: () => {
      throw new RangeError('Array buffer allocation failed');
    },
  });
  expect(packEvents([failing], 5000)).toBeUndefined();
});

it('keeps no more memory than twice what it made', () => {
  const { packed } = pack([deliveryOf(Buffer.alloc(1_000_000, 'the same again '), FACTS)]);
  expect(packed.length).toBeLessThan(10_000);
  expect(packed.buffer.byteLength).toBeLessThanOrEqual(2 * packed.length);
});

it('keeps fields of another version, in the event and in its reference', () => {
  const later = { tier: 2, fault: { code: 'c', message: 'm', later: [1] } };
  const event = { ...deliveryOf(Buffer.from('é'), FACTS), origin: 'import', later, reference: later };
  const packed = packEvents([JSON.parse(JSON.stringify(event))], 16_384);
  expect(packed && unpackEvents(packed)).toEqual([event]);
});

describe('packed events that are damaged', () => {
  const events = pack(['one', 'two'].map((body) => deliveryOf(Buffer.from(body), FACTS)));

  it.each([
    ['are not Brotli', { packed: Buffer.alloc(48, 255) }, /Decompression failed/],
    ['are cut off', { packed: events.packed.subarray(0, -6) }, /unexpected end of file/],
    ['have more bytes than they say', { bytes: events.bytes - 1 }, /larger than/],
    ['have fewer bytes than they say', { bytes: events.bytes + 1 }, /damaged/],
    ['have other bytes than were packed', { packed: holding('x'.repeat(events.bytes)) }, /damaged/],
    ['say that they have 400 MB', { bytes: 400_000_000 }, /more than 4194304/],
    ['have fields that are no JSON', { fieldBytes: events.fieldBytes - 1 }, /JSON/],
    ['have fields that are no list', { fieldBytes: 2, bytes: 2, crc32: crc32('{}'), packed: holding('{}') }, /no list/],
    [
      'have more bodies than their fields name',
      { fieldBytes: 2, bytes: 5, crc32: crc32('[]one'), packed: holding('[]one') },
      /end at 2 and not/,
    ],
    [
      'end before a body does',
      {
        fieldBytes: 74,
        bytes: 77,
        crc32: crc32(ENDS_EARLY),
        packed: holding(ENDS_EARLY),
      },
      /end at 84 and not at 77/,
    ],
  ])('are refused where they %s', (_, damage, message) => {
    expect(() => unpackEvents({ ...events, ...damage })).toThrow(message);
  });
});
