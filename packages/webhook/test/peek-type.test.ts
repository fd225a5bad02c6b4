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
  ['[{"type": "agent.action"}]', 'unknown'],
  ['"type"', 'unknown'],
  ['{"data": {}}', 'unknown'],
  ['not JSON', 'unknown'],
  ['', 'unknown'],
])('%j: %s', (body, type) => {
  expect(peekType(body)).toBe(type);
});

test('finds every type that we know', () => {
  for (const type of Object.keys(EVENT_TYPES)) expect(peekType(JSON.stringify({ id: 'evt_1', type }))).toBe(type);
});

const typeAfter = (length: number) => peekType(`{"note": "${'x'.repeat(length)}", "type": "agent.action"}`);

test('looks no further than 4,096 characters, and never tells half a type', () => {
  expect(typeAfter(4000)).toBe('agent.action');
  for (let length = 4040; length < 4100; length++) expect(['agent.action', 'unknown']).toContain(typeAfter(length));
  expect(typeAfter(5000)).toBe('unknown');
});

test('answers with a plain word whatever the body is', () => {
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
