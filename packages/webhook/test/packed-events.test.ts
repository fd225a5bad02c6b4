import { brotliCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { deliveryOf } from '../src/delivery.ts';
import { packEvents, unpackEvents } from '../src/packed-events.ts';

const FACTS = { receivedAt: 1, signedAt: 1, secretId: 'x' };

const holding = (text: string): Buffer => brotliCompressSync(text);

it('packs one group after another, each by itself', () => {
  const groups = [3, 100_000, 10, 3_000_000].map((bytes) => [deliveryOf(Buffer.alloc(bytes, `${bytes} `), FACTS)]);
  const packed = groups.map(packEvents);
  expect(packed.map(unpackEvents)).toEqual(groups);
});

describe('packed events that are damaged', () => {
  const events = packEvents(['one', 'two'].map((body) => deliveryOf(Buffer.from(body), FACTS)));

  it.each([
    ['are not Brotli', { packed: Buffer.alloc(48, 255) }, /Decompression failed/],
    ['are cut off', { packed: events.packed.subarray(0, -6) }, /unexpected end of file/],
    ['have more bytes than they say', { bytes: events.bytes - 1 }, /larger than/],
    ['have fewer bytes than they say', { bytes: events.bytes + 1 }, /bytes and not/],
    ['have fields that are no JSON', { fieldBytes: events.fieldBytes - 1 }, /JSON/],
    [
      'have more bodies than their fields name',
      { fieldBytes: 2, bytes: 5, packed: holding('[]one') },
      /end at 2 and not/,
    ],
    [
      'end before a body does',
      {
        fieldBytes: 74,
        bytes: 77,
        packed: holding('[{"receivedAt":1,"signedAt":1,"secretId":"","encoding":"utf8","bytes":10}]one'),
      },
      /end at 84 and not at 77/,
    ],
  ])('are refused where they %s', (_, damage, message) => {
    expect(() => unpackEvents({ ...events, ...damage })).toThrow(message);
  });
});
