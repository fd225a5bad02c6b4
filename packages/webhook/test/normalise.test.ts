import { describe, expect, test } from 'vitest';
import { EVENT_TYPES } from '../src/event-types.ts';
import { idempotencyKey } from '../src/idempotency-key.ts';
import { normalise } from '../src/normalise.ts';
import { changesOf, deliver, ms, read, SIGNED_AT } from './support/deliver.ts';

const T0 = ms('2025-10-09T08:53:20Z');

describe('the ledger row', () => {
  test('of a delivery', () => {
    const body =
      '{"type": "conversation.ended", "event_id": "e1", "conversation_id": "c1", "event_timestamp": 1739537297}';

    expect(read(body)).toMatchObject({
      outcome: 'applied',
      done: 'Conversation ended',
      entry: {
        id: idempotencyKey(Buffer.from(body)),
        eventKey: 'e1',
        type: 'conversation.ended',
        conversationId: 'c1',
        eventAt: 1_739_537_297_000,
        delivery: { receivedAt: SIGNED_AT * 1000 + 1500, encoding: 'utf8', body },
      },
    });
  });

  test('of a replay says so', () => {
    expect(normalise({ ...deliver({ type: 'x' }), origin: 'replay' }).entry.delivery.origin).toBe('replay');
  });

  test('is the same for the same bytes, however they are carried', () => {
    const body = '{"type": "conversation.message", "conversation_id": "c1", "text": "مرحبا 👋"}';
    const base64 = Buffer.from(body).toString('base64');

    const carried = normalise({ ...deliver(base64), encoding: 'base64' });

    expect(carried.entry).toEqual({ ...read(body).entry, delivery: { ...deliver(base64), encoding: 'base64' } });
    expect(carried).toMatchObject({ outcome: 'applied', changes: changesOf(body) });
  });

  test.each([
    ['type', { type: 'x', event_type: 'y', event: 'z' }, 'x'],
    ['event_type', { event_type: 'y', event: 'z' }, 'y'],
    ['event', { event: 'z' }, 'z'],
    ['not in data', { data: { type: 'x' } }, null],
    ['the first that is a text', { type: { a: 1 }, event: 'z' }, 'z'],
  ])('its type: %s', (_, body, type) => {
    expect(read(body).entry.type).toBe(type);
  });

  test.each([
    ['event_timestamp beside data', { event_timestamp: 1_739_537_297, timestamp: 5, data: { timestamp: 6 } }],
    ['timestamp beside data', { timestamp: 1_739_537_297_000, created_at: 5 }],
    ['created_at beside data', { created_at: '2025-02-14T12:48:17Z' }],
    ['event_timestamp in data', { data: { event_timestamp: '1739537297' } }],
    ['timestamp in data', { event_timestamp: 'soon', data: { timestamp: '2025-02-14 12:48:17' } }],
    ['created_at in data', { timestamp: null, data: { created_at: '1739537297000' } }],
  ])('its time: %s', (_, body) => {
    expect(read({ type: 'agent.action', conversation_id: 'c1', ...body }).entry.eventAt).toBe(1_739_537_297_000);
  });

  test("its time is the signature's where the body names none", () => {
    // A live event's place within the second is that of its receipt.
    expect(read({ type: 'agent.action', conversation_id: 'c1', timestamp: 'soon' }).entry.eventAt).toBe(T0 + 999);
    expect(read({ type: 'post_call_audio', conversation_id: 'c1' }).entry.eventAt).toBe(T0);
    expect(read('not JSON').entry.eventAt).toBe(T0);
  });

  test.each([
    ['beside data', { conversation_id: 'c1', data: {} }],
    ['in data', { data: { conversation_id: 'c1' } }],
    ['in data before beside it', { conversation_id: 'c2', data: { conversation_id: 'c1' } }],
    ['beside data that is null', { conversation_id: 'c1', data: null }],
    ['where the one in data is no text', { conversation_id: 'c1', data: { conversation_id: {} } }],
  ])('its conversation: %s', (_, body) => {
    expect(read({ type: 'conversation.ended', ...body }).entry.conversationId).toBe('c1');
  });

  test('its conversation may be a number past 2^53, and stays exact', () => {
    expect(read('{"type": "agent.action", "conversation_id": 12345678901234567890}').entry.conversationId).toBe(
      '12345678901234567890',
    );
  });

  test.each([
    [{ event_id: 'e', id: 'i' }, 'e'],
    [{ id: 'i', data: { event_id: 'd' } }, 'i'],
    [{ data: { event_id: 'd' } }, 'd'],
    [{ data: { id: 'd' } }, null],
  ])('the id it names for itself: %j', (body, eventKey) => {
    expect(read({ type: 'agent.action', conversation_id: 'c', ...body }).entry.eventKey).toBe(eventKey);
  });
});

describe('every type', () => {
  test.each(Object.entries(EVENT_TYPES))('%s is applied with nothing but its conversation', (type, { done }) => {
    const event = read({ type, event_timestamp: T0 / 1000, data: { conversation_id: 'c1' } });

    expect(event).toMatchObject({ outcome: 'applied', done, changes: { conversation: { id: 'c1', earliest: T0 } } });
  });

  test.each([
    'voice_removed',
    'speech_to_text_transcription',
    'Conversation.Started',
    'constructor',
    '__proto__',
    'toString',
    'conversation.started ',
  ])('%s is recorded and ignored, whatever it holds', (type) => {
    expect(read(`{"type": ${JSON.stringify(type)}, "data": {"conversation_id": "c1"}}`)).toMatchObject({
      outcome: 'ignored',
      entry: { type, conversationId: 'c1' },
    });
    expect(read({ type, data: 'no object' })).toMatchObject({ outcome: 'ignored', entry: { conversationId: null } });
  });
});

describe('a dead letter', () => {
  const TYPE = 'conversation.started';

  test.each([
    ['empty', '', 'body_empty'],
    ['not JSON', 'hello', 'body_not_json'],
    ['cut off', '{"type": "conversation.st', 'body_not_json'],
    ['form fields', 'type=conversation.started&id=1', 'body_not_json'],
    [
      "Python's NaN",
      '{"type": "conversation.ended", "conversation_id": "c", "duration_seconds": NaN}',
      'body_not_json',
    ],
    ['an empty array', '[]', 'body_not_object'],
    ['an array of texts', '["conversation.started"]', 'body_not_object'],
    ['an array of several events', '[{"type": "a"}, {"type": "b"}]', 'body_has_several'],
    ['an array of one event that makes no sense', '[{"type": "conversation.started"}]', 'conversation_id_missing'],
    ['null', 'null', 'body_not_object'],
    ['a text', '"conversation.started"', 'body_not_object'],
    ['a number', '12345678901234567890', 'body_not_object'],
    ['too deep', `{"type": "${TYPE}", "data": ${'['.repeat(300)}${']'.repeat(300)}}`, 'json_too_deep'],
    ['a megabyte of brackets', '['.repeat(1024 * 1024), 'json_too_deep'],
    ['no type', '{"conversation_id": "c"}', 'type_missing'],
    ['an empty type', '{"type": "", "conversation_id": "c"}', 'type_missing'],
    ['a type too long to be one', JSON.stringify({ type: 'x'.repeat(257) }), 'type_missing'],
    ['data that is text', JSON.stringify({ type: TYPE, data: '{}' }), 'data_not_object'],
    ['data that is a list', JSON.stringify({ type: TYPE, data: [] }), 'data_not_object'],
    ['data that is false', JSON.stringify({ type: TYPE, conversation_id: 'c', data: false }), 'data_not_object'],
    ['no conversation', JSON.stringify({ type: TYPE, data: {} }), 'conversation_id_missing'],
    ['an empty conversation', JSON.stringify({ type: TYPE, conversation_id: '' }), 'conversation_id_missing'],
    [
      'a conversation too long',
      JSON.stringify({ type: TYPE, conversation_id: 'x'.repeat(257) }),
      'conversation_id_missing',
    ],
    ['a list of conversations', JSON.stringify({ type: TYPE, conversation_id: ['c'] }), 'conversation_id_missing'],
    [
      'a turnless transcript',
      JSON.stringify({ type: 'post_call_transcription', conversation_id: 'c', data: { transcript: {} } }),
      'transcript_not_array',
    ],
  ])('%s', (_, body, code) => {
    const event = read(body);

    expect(event).toMatchObject({
      outcome: 'dead',
      fault: { code, message: expect.stringMatching(/^[A-Z].{10,}\.$|^data\..+\.$/) },
      entry: { id: idempotencyKey(Buffer.from(body)), delivery: { encoding: 'utf8', body } },
    });
  });

  test('invalid UTF-8, with its exact bytes', () => {
    const bytes = Buffer.from('{"type": "conversation.started", "conversation_id": "\xff"}', 'latin1');
    const body = bytes.toString('base64');

    expect(normalise({ ...deliver(body), encoding: 'base64' })).toMatchObject({
      outcome: 'dead',
      fault: { code: 'body_not_utf8' },
      entry: { id: idempotencyKey(bytes), delivery: { encoding: 'base64', body } },
    });
  });

  test('is named as far as it can be', () => {
    expect(
      read({ type: 'conversation.started', event_id: 'e1', timestamp: 1_739_537_297, data: [] }).entry,
    ).toMatchObject({
      type: 'conversation.started',
      eventKey: 'e1',
      eventAt: 1_739_537_297_000,
    });
  });
});

describe('values', () => {
  test('a byte order mark is passed over, and stays in the bytes', () => {
    const body = '\ufeff{"type": "conversation.ended", "conversation_id": "c"}';
    expect(read(body)).toMatchObject({ outcome: 'applied', entry: { delivery: { body } } });
  });

  test('U+0000 and lone surrogates reach no column, in keys or ids neither', () => {
    const changes = changesOf(
      String.raw`{"type": "conversation.message", "conversation_id": "c\u0000", "data": {"message_id": "m\ud800", "text": "a\u0000b", "k\u0000": ["\udc00"]}}`,
    );

    expect(changes.messages).toMatchObject([
      {
        conversation_id: 'c\ufffd',
        event_key: 'unknown:m\ufffd',
        content: 'a\ufffdb',
        details: { 'k\ufffd': ['\ufffd'] },
      },
    ]);
  });

  test('__proto__ is kept as a key and changes nothing else', () => {
    const text = `{"type": "conversation.started", "conversation_id": "c", "__proto__": {"user_id": "evil"}, "data": {"__proto__": {"agent_id": "evil"}, "constructor": "x"}}`;
    const { conversation } = changesOf(text);

    expect(conversation.fields).not.toHaveProperty('user_id');
    expect(conversation.fields).not.toHaveProperty('agent_id');
    expect(conversation.metadata.get('__proto__')?.value).toEqual({ agent_id: 'evil' });
    expect(conversation.metadata.get('constructor')?.value).toBe('x');
  });

  test('a message of a megabyte is kept whole', () => {
    const text = 'ا'.repeat(512 * 1024);
    expect(changesOf({ type: 'conversation.message', conversation_id: 'c', text }).messages[0]?.content).toBe(text);
  });
});
