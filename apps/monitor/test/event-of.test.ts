import { normalise } from '@landline/webhook';
import type { Changes } from '@landline/webhook/changes';
import { describe, expect, test } from 'vitest';
import { endedEvent, eventOf, startedEvent } from '../src/event-of.ts';
import type { LiveEvent } from '../src/live-event.ts';
import { STARTED_AT, userSays } from './support/a-bridge.ts';

const CALL = { id: 'conv_1', agentId: 'agent_1', startedAt: STARTED_AT, direction: 'outbound' };

function applied(event: LiveEvent | undefined, receivedAt = STARTED_AT + 60_000): Changes {
  const read = normalise({
    receivedAt,
    signedAt: Math.floor(receivedAt / 1000),
    secretId: 'test',
    encoding: 'utf8',
    body: event?.body ?? '',
  });
  if (read.outcome !== 'applied') throw new Error(JSON.stringify(read));
  return read.changes;
}

/** The values of registers, without their clocks. */
function values(registers: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(registers).map(([name, register]) => [name, register.value]));
}

/** Folds tool events as the tables do: of each column the value with the greatest clock stands. */
function toolRow(messages: readonly object[]): Record<string, unknown> {
  const columns: Record<string, { value: unknown; clock: string }> = {};
  for (const message of messages) {
    const [tool] = applied(eventOf(CALL, { ...message })).toolCalls;
    for (const [name, register] of Object.entries({ ...tool?.fields, id: { value: tool?.request_id, clock: '' } })) {
      if ((columns[name]?.clock ?? '') <= register.clock) columns[name] = register;
    }
  }
  return values(columns);
}

const agentSays = (agent_response: string, event_id: number) => ({
  type: 'agent_response',
  agent_response_event: { agent_response, event_id },
});

const mcp = (state: string, more: object = {}) => ({
  type: 'mcp_tool_call',
  mcp_tool_call: {
    service_id: 'service_1',
    tool_call_id: 'call_2',
    tool_name: 'weather',
    parameters: { city: 'Cairo' },
    timestamp: '2026-01-01T00:00:05.250000',
    state,
    ...more,
  },
});

describe('what is said', () => {
  test('is a row by role and number, in the order of the numbers, with no language guessed', () => {
    const said = [userSays('مرحبا', 7), agentSays('Hello', 7), userSays('Yes', 8)].map((message) =>
      applied(eventOf(CALL, { ...message })),
    );
    expect(said.flatMap(({ messages }) => messages)).toMatchObject([
      { event_key: 'user:user-7', role: 'user', content: 'مرحبا', language: null, created_at: STARTED_AT + 42 },
      { event_key: 'agent:agent-7', role: 'agent', content: 'Hello', language: null, created_at: STARTED_AT + 46 },
      { event_key: 'user:user-8', role: 'user', content: 'Yes', language: null, created_at: STARTED_AT + 48 },
    ]);
    expect(values(said[0]?.conversation.fields ?? {})).toMatchObject({ agent_id: 'agent_1', status: 'in_progress' });
  });

  test('is the same bytes from every socket, whenever it is heard', () => {
    expect(eventOf({ ...CALL }, { ...userSays('Hello', 1) })).toEqual(eventOf(CALL, { ...userSays('Hello', 1) }));
  });

  test('a correction wins over the response, whichever is applied first, and stays before the next number', () => {
    const correction = {
      type: 'agent_response_correction',
      agent_response_correction_event: {
        original_agent_response: 'Hello, how',
        corrected_agent_response: 'Hello',
        event_id: 7,
      },
    };
    const [original] = applied(eventOf(CALL, agentSays('Hello, how', 7)), STARTED_AT + 90_000).messages;
    const [corrected] = applied(eventOf(CALL, correction), STARTED_AT + 60_000).messages;
    const [next] = applied(eventOf(CALL, { ...userSays('Yes', 8) })).messages;
    expect(corrected).toMatchObject({ event_key: 'agent:agent-7', content: 'Hello', interrupted: true });
    expect((corrected?.clock ?? '') > (original?.clock ?? '')).toBe(true);
    expect([corrected, next].map((message) => message?.created_at)).toEqual([STARTED_AT + 47, STARTED_AT + 48]);
  });

  test.each([
    ['without words', userSays('  ', 1)],
    ['without a number', { type: 'user_transcript', user_transcription_event: { user_transcript: 'Hello' } }],
    [
      'with words of another type',
      { type: 'user_transcript', user_transcription_event: { user_transcript: 7, event_id: 1 } },
    ],
    ['of another kind', { type: 'audio', audio_event: { audio_base_64: 'AAAA', event_id: 3 } }],
    ['without a type', { agent_response: 'Hello', event_id: 1 }],
    ['of an id longer than the worker takes', { type: 'agent_tool_request', tool_call_id: 'x'.repeat(201) }],
  ])('a message %s tells nothing', (_, message) => {
    expect(eventOf(CALL, { ...message })).toBeUndefined();
  });
});

describe('tools', () => {
  const request = {
    type: 'agent_tool_request',
    agent_tool_request: { tool_name: 'book', tool_call_id: 'call_1', tool_type: 'client', event_id: 4 },
  };
  const client = {
    type: 'client_tool_call',
    client_tool_call: { tool_name: 'book', tool_call_id: 'call_1', parameters: { seats: 2 }, event_id: 4 },
  };
  const response = {
    type: 'agent_tool_response',
    agent_tool_response: {
      tool_name: 'book',
      tool_call_id: 'call_1',
      tool_type: 'client',
      is_error: true,
      is_called: true,
    },
  };

  test.each([
    ['in their order', [request, client, response]],
    ['the other way round', [response, client, request]],
  ])('a request, its parameters and its response are one row, %s', (_, messages) => {
    expect(toolRow(messages)).toEqual({
      id: 'call_1',
      tool_name: 'book',
      tool_type: 'client',
      parameters: { seats: 2 },
      is_error: true,
      details: { tool_has_been_called: true },
    });
  });

  test.each([
    [
      'succeeds',
      mcp('success', { result: [{ type: 'text', text: '30 °C' }] }),
      [{ type: 'text', text: '30 °C' }],
      false,
    ],
    ['fails', mcp('failure', { error_message: 'No such city' }), 'No such city', true],
  ])('a tool of an MCP server that %s has its last state, though all have one time', (_, last, result, is_error) => {
    const row = {
      id: 'call_2',
      tool_name: 'weather',
      tool_type: 'mcp',
      parameters: { city: 'Cairo' },
      result,
      is_error,
      details: { state: is_error ? 'failure' : 'success' },
    };
    expect(toolRow([last, mcp('awaiting_approval'), mcp('loading')])).toEqual(row);
    expect(toolRow([mcp('loading'), mcp('awaiting_approval'), last])).toEqual(row);
    expect(JSON.parse(eventOf(CALL, mcp('loading'))?.body ?? '')).toMatchObject({ event_timestamp: STARTED_AT + 5250 });
  });

  test.each([['yesterday'], [5], [null], ['2031-01-01T00:00:00Z']])(
    'a time that can be none (%s) is the call’s start',
    (timestamp) => {
      const event = eventOf(CALL, mcp('success', { timestamp }));
      expect(JSON.parse(event?.body ?? '')).toMatchObject({ event_timestamp: STARTED_AT + 2 });
    },
  );
});

test('the beginning has the list’s words; the end has the time of its signature, and the same bytes whoever sends it', () => {
  const started = applied(startedEvent(CALL)).conversation;
  expect(values(started.fields)).toMatchObject({ agent_id: 'agent_1', direction: 'outbound', started_at: STARTED_AT });
  expect([...started.metadata.keys()]).toEqual([]);
  const ended = applied(endedEvent(CALL), STARTED_AT + 61_500).conversation;
  expect(values(ended.fields)).toMatchObject({ status: 'ended', ended_at: STARTED_AT + 61_500 });
  const unnamed = { ...CALL, agentId: null, direction: null };
  expect(JSON.parse(startedEvent(unnamed).body).data).toEqual({ conversation_id: 'conv_1', started_at: STARTED_AT });
});
