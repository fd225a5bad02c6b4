import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EVENT_TYPES } from '../src/event-types.ts';
import { peekType } from '../src/peek-type.ts';

test.each([
  ['{"type":"conversation.started"}', 'conversation.started'],
  ['{"type": "post_call_audio", "event_timestamp": 1}', 'post_call_audio'],
  ['\n{ "type"\t:\r\n "agent.action" }', 'agent.action'],
  ['\ufeff{"type": "agent.action"}', 'agent.action'],
  ['{"event_type": "agent.action"}', 'agent.action'],
  ['{"event": "agent.action"}', 'agent.action'],
  ['{"event_id": "type", "note": "event", "type": "agent.action"}', 'agent.action'],
  ['{"data": {"type": "inner", "list": [{"type": "inner"}]}, "type": "agent.action"}', 'agent.action'],
  ['{"a": "}", "b": "{\\"type\\": \\"trick\\"}", "type": "agent.action"}', 'agent.action'],
  ['{"a": "\\\\", "type": "agent.action"}', 'agent.action'],
  ['{"event": {"type": "inner"}, "event_type": "agent.action"}', 'agent.action'],
  ['{"type": 5, "event": "agent.action"}', 'agent.action'],
  ['{"type": "x\\u0041"}', 'unknown'],
  ['{"type": "line\nbreak"}', 'unknown'],
  ['{"type": "📥 forged"}', 'unknown'],
  [`{"type": "${'x'.repeat(65)}"}`, 'unknown'],
  [`{"type": "${'x'.repeat(64)}"}`, 'x'.repeat(64)],
  ['{"type": ""}', 'unknown'],
  ['{"type": null}', 'unknown'],
  ['{"type"', 'unknown'],
  ['{"type": "agent.acti', 'unknown'],
  ['["type", "agent.action"]', 'unknown'],
  ['[{"type": "agent.action"}]', 'agent.action'],
  ['[{"type": "agent.action"}, {"type": "agent.action"}]', 'agent.action'],
  ['[{"body": {"type": "agent.action"}}, {"body": {"type": "agent.action"}}]', 'unknown'],
  ['[{"headers": {"type": "x"}, "body": {"type": "agent.action"}, "webhookUrl": "u"}]', 'agent.action'],
  ['{"body": {"payload": [{"event": "agent.action"}]}}', 'agent.action'],
  ['{"conversation_id": "c", "transcript": [{"type": "inner"}]}', 'post_call_transcription'],
  ['{"data": {"conversation_id": "c", "transcript": []}}', 'post_call_transcription'],
  ['{"body": {"data": {"transcript": [], "status": "done"}}}', 'post_call_transcription'],
  ['{"body": {"note": "nothing here"}}', 'unknown'],
  ['{"data": {"a": "\\\\"}, "type" : "agent.action"}', 'agent.action'],
  ['"type"', 'unknown'],
  ['{"data": {}}', 'unknown'],
  ['not JSON', 'unknown'],
  ['', 'unknown'],
])('%j: %s', (body, type) => {
  expect(peekType(body)).toBe(type);
  const bytes = Buffer.from(body);
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(peekType([bytes.subarray(0, cut), bytes.subarray(cut)])).toBe(type);
  }
});

test.each([
  ['at its beginning', (filler: string) => `{"type":"agent.action","data":"${filler}"}`],
  ['at its end', (filler: string) => `{"data":"${filler}","type":"agent.action"}`],
  ['in its middle', (filler: string) => `{"data":"${filler}","type":"agent.action","more":"${filler}"}`],
])('finds the type of a large body in pieces %s', (_, make) => {
  const bytes = Buffer.from(make('é"\\"'.repeat(3000)));
  for (const cut of [0, 1, 10, 4095, 4097, 15_001, bytes.length - 4097, bytes.length - 10, bytes.length]) {
    expect(peekType([bytes.subarray(0, cut), bytes.subarray(cut)])).toBe('agent.action');
  }
});

test('reads the ends of many small pieces', () => {
  const bytes = Buffer.from(`{"data":"${'x'.repeat(20_000)}","type":"agent.action"}`);
  const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, i * 7 + 7));
  expect(peekType(pieces)).toBe('agent.action');
});

test('of pieces of more than a million bytes only the ends are read', () => {
  const half = Buffer.from('x'.repeat(600_000));
  const pieces = (before: string, between: string, behind: string) => [
    Buffer.from(before),
    half,
    Buffer.from(between),
    half,
    Buffer.from(behind),
  ];
  expect(peekType(pieces('{"a":"', '"', '","type":"agent.action"}'))).toBe('agent.action');
  expect(peekType(pieces('{"a":"', '","type":"agent.action","b":"', '"}'))).toBe('unknown');
});

test('finds every type that we know', () => {
  for (const type of Object.keys(EVENT_TYPES)) expect(peekType(JSON.stringify({ id: 'evt_1', type }))).toBe(type);
});

const typeAfter = (length: number) => peekType(`{"note": "${'x'.repeat(length)}", "type": "agent.action"}`);

test('finds the type behind any length of other fields, and never returns half a type', () => {
  for (let length = 4040; length < 4100; length++) expect(typeAfter(length)).toBe('agent.action');
  for (const length of [5000, 37_000, 900_000, 20_000_000]) expect(typeAfter(length)).toBe('agent.action');
});

const typeBetween = (length: number) =>
  peekType(`{"a": "${'x'.repeat(length)}", "type": "agent.action", "data": {"b": "${'\\"'.repeat(length)}"}}`);

test('finds the type between long fields, in a body of up to a million characters', () => {
  expect(typeBetween(10_000)).toBe('agent.action');
  expect(typeBetween(300_000)).toBe('agent.action');
  expect(typeBetween(1_000_000)).toBe('unknown');
});

test('names a conversation that names no type, however long it is', () => {
  const turns = Array.from({ length: 2000 }, (_, i) => ({ role: 'user', message: `"type": ${i}`, type: 'inner' }));
  expect(peekType(JSON.stringify({ conversation_id: 'c', status: 'done', transcript: turns }))).toBe(
    'post_call_transcription',
  );
  expect(peekType(JSON.stringify([{ body: { status: 'done', transcript: turns }, mode: 'x' }]))).toBe(
    'post_call_transcription',
  );
});

test('takes time in proportion to any body', () => {
  const bodies = ['[', '{', '"', '\\', '{"body":', '{"data":[', '\\"', '{"type":'].map((part) =>
    part.repeat(1_000_000 / part.length),
  );
  for (const body of bodies) expect(peekType(body)).toBe('unknown');
});

test('returns a plain word for any body', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.json(),
        fc.json().map((json) => `{"type": ${json}`),
      ),
      (body) => {
        expect(peekType(body)).toMatch(/^[\w.:-]{1,64}$/);
      },
    ),
    { numRuns: 2000 },
  );
});
