import { expect, test } from 'vitest';
import { bodyBytes, bodyLength, deliveryOf, deliverySchema, type BodyReference } from '../src/delivery.ts';
import { normalise } from '../src/normalise.ts';

const AT = 1_767_225_600;
const FACTS = { receivedAt: AT * 1000 + 1500, signedAt: AT, secretId: 'ab12' };
const EVENT_ID = '01234567-89ab-cdef-0123-456789abcdef';

/** The envelope of a post_call_audio event, as the mover leaves it. */
const ENVELOPE = JSON.stringify({
  type: 'post_call_audio',
  event_timestamp: AT + 60,
  data: { agent_id: 'agent_1', conversation_id: 'conv_1', full_audio: '', batch: 7 },
});
const RECORDING = {
  at: 120,
  bytes: 4_000_000,
  sha256: 'a'.repeat(64),
  contentType: 'audio/mpeg',
  url: 'file:/recordings/agent_1/2026/01/01/conv_1.mp3',
  storedAt: 1_767_225_700_000,
};
const REFERENCE: BodyReference = { eventId: EVENT_ID, bytes: 5_333_500, recording: RECORDING };
const FAULT = { code: 'audio_not_base64', message: 'The audio is not base64.' };

function read(body: string, reference: BodyReference) {
  return normalise(deliveryOf(Buffer.from(body), { ...FACTS, reference }));
}

test('a delivery carries its reference, also through JSON, and its length is that of the envelope', () => {
  const delivery = deliveryOf(Buffer.from(ENVELOPE), { ...FACTS, reference: REFERENCE });
  expect(delivery).toEqual({ ...FACTS, encoding: 'utf8', body: ENVELOPE, reference: REFERENCE });
  expect(deliverySchema.parse(JSON.parse(JSON.stringify(delivery)))).toEqual(delivery);
  expect(bodyBytes(delivery).toString()).toBe(ENVELOPE);
  expect(bodyLength(delivery)).toBe(ENVELOPE.length);
});

test('a delivery of a whole body has no such field', () => {
  expect(Object.keys(deliveryOf(Buffer.from('{}'), { ...FACTS, reference: undefined }))).not.toContain('reference');
});

test('an event with a reference has the id of its whole body, and its recording from the reference', () => {
  const event = read(ENVELOPE, REFERENCE);
  expect(event).toMatchObject({
    outcome: 'applied',
    entry: { id: EVENT_ID, type: 'post_call_audio', conversationId: 'conv_1', eventAt: (AT + 60) * 1000 },
  });
  if (event.outcome !== 'applied') throw new Error('It is to be applied.');
  expect(event.entry.delivery.reference).toEqual(REFERENCE);
  expect(event.changes.recordings).toEqual([
    {
      conversation_id: 'conv_1',
      event_id: EVENT_ID,
      url: RECORDING.url,
      content_type: 'audio/mpeg',
      bytes: 4_000_000,
      sha256: RECORDING.sha256,
      created_at: (AT + 60) * 1000,
      stored_at: 1_767_225_700_000,
    },
  ]);
  const metadata = [...event.changes.conversation.metadata].map(([name, { value }]) => [name, value]);
  expect(Object.fromEntries(metadata)).toEqual({
    batch: 7,
    recording: { available: true, format: 'mp3', size_bytes: 4_000_000 },
  });
});

test('audio that was not kept is a recording without a URL', () => {
  const event = read(ENVELOPE, { ...REFERENCE, recording: { ...RECORDING, url: null, storedAt: null } });
  expect(event).toMatchObject({ outcome: 'applied', changes: { recordings: [{ url: null, stored_at: null }] } });
});

test('a fault in the reference makes the event dead, with what its envelope names', () => {
  const { recording: _recording, ...reference } = REFERENCE;
  expect(read(ENVELOPE, { ...reference, bodyUrl: 'file:/bodies/1', fault: FAULT })).toEqual({
    outcome: 'dead',
    entry: {
      id: EVENT_ID,
      eventKey: null,
      type: 'post_call_audio',
      conversationId: 'conv_1',
      eventAt: (AT + 60) * 1000,
      delivery: expect.objectContaining({ reference: { ...reference, bodyUrl: 'file:/bodies/1', fault: FAULT } }),
    },
    fault: FAULT,
  });
});

test.each(['', 'no json', '[1, 2]'])('the envelope %j of a dead event adds no fault of its own', (body) => {
  expect(read(body, { eventId: EVENT_ID, bytes: 20_000_000, fault: FAULT })).toMatchObject({
    outcome: 'dead',
    entry: { id: EVENT_ID, type: null, conversationId: null, eventAt: AT * 1000 },
    fault: FAULT,
  });
});

test('the envelope of a live event gives it no other id, though it names neither id nor time', () => {
  const body = JSON.stringify({
    type: 'conversation.message',
    data: { conversation_id: 'c', role: 'user', message: 'Yes' },
  });
  expect(read(body, { eventId: EVENT_ID, bytes: 1 })).toMatchObject({ outcome: 'applied', entry: { id: EVENT_ID } });
});

test('secret variables of an envelope are left out', () => {
  const event = read(ENVELOPE.replace('"batch":7', '"secret__pin":"kept from all"'), REFERENCE);
  expect(event.outcome).toBe('applied');
  expect(JSON.stringify('changes' in event && [...event.changes.conversation.metadata])).not.toContain('kept from all');
});
