import { packEvents } from '@landline/webhook/packed-events';
import fc from 'fast-check';
import type { Delivery } from '@landline/webhook';
import { describe, expect, it } from 'vitest';
import {
  beginRecord,
  decodeRecord,
  isCutOff,
  isIntact,
  recordLength,
  sealRecord,
  timeOf,
} from '../../src/segment/record.ts';

const AT = 1_767_225_600_000;
const SEED = 0x12345678;

const text = fc.string({ unit: 'grapheme' });
const facts = { receivedAt: fc.nat(), signedAt: fc.nat(), secretId: fc.string() };
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const anEvent: fc.Arbitrary<Delivery> = fc.oneof(
  fc.record({ ...facts, encoding: fc.constant('utf8'), body: text }),
  fc.record({ ...facts, encoding: fc.constant('utf8'), body: text, traceparent: fc.constant(traceparent) }),
  fc.record({
    ...facts,
    encoding: fc.constant('base64'),
    body: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    added: fc.string(),
  }),
);

/** A delivery whose fields are `{"receivedAt":1,"signedAt":2,"secretId":"s","encoding":"utf8"}`. */
function delivery(body: string): Delivery {
  return { receivedAt: 1, signedAt: 2, secretId: 's', encoding: 'utf8', body };
}

function sealed(events: readonly Delivery[], seed = SEED): Buffer {
  return sealRecord(beginRecord(events), AT, seed);
}

describe('a record', () => {
  it('gives back what it was made of: every text, every byte, every field', () => {
    fc.assert(
      fc.property(fc.array(anEvent, { maxLength: 4 }), (events) => {
        const record = sealed(events);
        expect(decodeRecord(record)).toEqual({ at: AT, events, bytes: record.length });
        expect([recordLength(record), beginRecord(events).length]).toEqual([record.length, record.length]);
      }),
    );
  });

  it('gives the same back where it is packed, and the length that it would have otherwise', () => {
    fc.assert(
      fc.property(fc.array(anEvent, { maxLength: 4 }), (events) => {
        const begun = beginRecord(events, packEvents(events, 16_384));
        const record = sealRecord(begun, AT, SEED);
        expect(decodeRecord(record)).toEqual({ at: AT, events, bytes: sealed(events).length });
        expect([begun.length, recordLength(record), isIntact(record, SEED)]).toEqual([
          record.length,
          record.length,
          true,
        ]);
      }),
    );
  });

  it('holds the packed bytes as they are, behind their numbers', () => {
    const packed = { bytes: 75, fieldBytes: 74, crc32: 9, packed: Buffer.from('as packed') };
    const record = sealRecord(beginRecord([delivery('x')], packed), AT, SEED);
    expect(record.toString('latin1', 24)).toBe('{"bytes":75,"fieldBytes":74,"crc32":9}as packed');
  });

  it('has its length before it has its bytes', () => {
    const begun = beginRecord([delivery('ä€')]);
    expect([begun.sizes, begun.fields]).toEqual([
      [5],
      '[{"receivedAt":1,"signedAt":2,"secretId":"s","encoding":"utf8","bytes":5}]',
    ]);
    expect(begun.length).toBe(24 + begun.fields.length + 5);
  });

  it('is the same bytes as it ever was', () => {
    const record = sealed([delivery('x')], 0);
    expect(record.toString('latin1', 0, 4)).toBe('LLR1');
    expect([record.readUInt32LE(4), record.readUInt32LE(12), record.readDoubleLE(16)]).toEqual([75, 74, AT]);
    expect(record.toString('utf8', 24)).toBe(
      '[{"receivedAt":1,"signedAt":2,"secretId":"s","encoding":"utf8","bytes":1}]x',
    );
    expect(timeOf(record)).toBe(AT);
  });

  it('is intact in its own segment alone', () => {
    const record = sealed([delivery('x')]);
    expect([isIntact(record, SEED), isIntact(record, SEED + 1)]).toEqual([true, false]);
  });

  it('is not intact with any bit of it flipped behind its magic', () => {
    const record = sealed([delivery('body')]);
    for (let bit = 4 * 8; bit < record.length * 8; bit++) {
      const damaged = Buffer.from(record);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect([bit, isIntact(damaged, SEED)]).toEqual([bit, false]);
    }
  });
});

describe('the beginning of a record', () => {
  const record = sealed([delivery('a body')]);

  it('says how long the record is, where it is whole', () => {
    expect(recordLength(record.subarray(0, 24))).toBe(record.length);
    expect(recordLength(record.subarray(0, 23))).toBeUndefined();
    expect(recordLength(Buffer.alloc(24))).toBeUndefined();
  });

  it('is distinguished from other bytes at each length', () => {
    for (let length = 1; length < record.length; length++) {
      const rest = record.subarray(0, Math.min(24, length));
      expect([length, isCutOff(rest, length)]).toEqual([length, true]);
    }
    expect(isCutOff(record.subarray(0, 24), record.length)).toBe(false);
    for (const other of ['x', 'LLX', 'LLR2', 'a text that is longer than a header']) {
      expect([other, isCutOff(Buffer.from(other).subarray(0, 24), other.length)]).toEqual([other, false]);
    }
  });
});
