import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeJob } from '../../src/jobs/encode-job.ts';
import { packedJobSchema } from '../../src/jobs/job.ts';
import { unpackEvents } from '@landline/webhook/packed-events';
import { deliveryOf } from '@landline/webhook/delivery';
import { A_REFERENCE, anEvent } from '../support/an-event.ts';
import { HOSTILE_BODIES } from '../support/hostile-bodies.ts';
import { jobSchema } from '../support/job-schema.ts';

const KIBIBYTE = 1024;

/** As the receiver makes them: any bytes, and fields that this version does not know. */
const deliveries = fc.array(
  fc.record({
    facts: fc.record({ receivedAt: fc.nat(), signedAt: fc.nat(), secretId: fc.string() }),
    later: fc.jsonValue(),
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: 'grapheme', maxLength: 300 }).map((text) => Buffer.from(`${text}\u0000"\\`)),
    ),
  }),
  { minLength: 1, maxLength: 5 },
);

/** The data of a job as BullMQ reads it. */
const read = (data: Buffer): unknown => JSON.parse(data.toString('utf8'));

function unpack(data: Buffer): unknown {
  const { packed, ...sizes } = packedJobSchema.parse(read(data));
  return { v: 1, events: unpackEvents({ ...sizes, packed: Buffer.from(packed, 'base64') }) };
}

describe('the data of a job', () => {
  it.each([
    ['an event below 4 KiB', 1, 4 * KIBIBYTE - 1],
    ['small events up to 16 KiB', 5, 16 * KIBIBYTE - 1],
    ['an event above a mebibyte', 1, KIBIBYTE * KIBIBYTE + 1],
  ])('is the JSON of version 1 for %s', (_, count, bytes) => {
    const small = Array.from({ length: count }, (_event, i) => anEvent(`é ${i}`));
    expect(encodeJob({ events: small, bytes }).toString('utf8')).toBe(JSON.stringify({ v: 1, events: small }));
  });

  it.each([
    ['an event of 4 KiB', 1, 4 * KIBIBYTE],
    ['events of 4 KiB on average', 3, 12 * KIBIBYTE],
    ['small events of 16 KiB together', 60, 16 * KIBIBYTE],
    ['an event of a mebibyte', 1, KIBIBYTE * KIBIBYTE],
  ])('is packed for %s', (_, count, bytes) => {
    const events = Array.from({ length: count }, (_event, i) => anEvent(`é ${i}`));
    expect(read(encodeJob({ events, bytes }))).toMatchObject({ v: 3 });
  });

  it('gives packed events back with every field, whatever their bytes are', () => {
    fc.assert(
      fc.property(deliveries, (made) => {
        const all = made.map(({ bytes, facts, later }) => ({ ...deliveryOf(bytes, facts), later }));
        expect(unpack(encodeJob({ events: all, bytes: 16 * KIBIBYTE }))).toEqual({
          v: 1,
          events: read(Buffer.from(JSON.stringify(all))),
        });
      }),
    );
  });

  it.each(HOSTILE_BODIES)('gives a packed body back: %s', (_, body) => {
    const all = [anEvent('before'), { ...anEvent(body), reference: A_REFERENCE }, anEvent('behind')];
    expect(jobSchema.parse(unpack(encodeJob({ events: all, bytes: 16 * KIBIBYTE }))).events).toEqual(all);
  });

  it('of a transcript takes less than half of its body', () => {
    const turn = { role: 'user', tool_calls: [], tool_results: [], feedback: null, interrupted: false };
    const transcript = Array.from({ length: 100 }, (_, i) => ({
      ...turn,
      message: `${Math.sin(i)} is what I said ${Math.cos(i)}`,
      time_in_call_secs: i * 4,
    }));
    const body = JSON.stringify({ type: 'post_call_transcription', data: { transcript } });
    expect(encodeJob({ events: [anEvent(body)], bytes: body.length }).length / body.length).toBeLessThan(0.5);
  });
});
