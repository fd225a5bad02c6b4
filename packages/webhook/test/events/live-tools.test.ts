import { describe, expect, test } from 'vitest';
import { changesOf, columns, fixture, ms, read, values } from '../support/deliver.ts';

const ID = 'conv_7401k9n2x8fae5vbq3t6m0cgdr4h';
const T0 = ms('2025-10-09T08:53:20Z');

function toolCall(body: unknown) {
  const [call, ...others] = changesOf(body).toolCalls;
  if (!call || others.length > 0) throw new Error('not one tool call');
  return call;
}

function command(body: unknown) {
  const [only, ...others] = changesOf(body).commands;
  if (!only || others.length > 0) throw new Error('not one command');
  return only;
}

describe('agent.tool_call', () => {
  test('the call', () => {
    const call = toolCall(fixture('agent-tool-call.call'));

    expect(call).toMatchObject({
      conversation_id: ID,
      source: 'live',
      request_id: 'tc_find_booking_1',
      earliest: T0 + 10_000,
    });
    expect(values(call.fields)).toEqual({
      tool_name: 'find_booking',
      tool_type: 'webhook',
      parameters: { reference: 'QX7', customer_id: 9_007_199_254_740_991 },
      details: { attempt: 1 },
    });
  });

  test('its result, in an event of its own, is the same row', () => {
    const call = toolCall(fixture('agent-tool-call.call'));
    const result = toolCall(fixture('agent-tool-call.result'));

    expect(result).toMatchObject({ conversation_id: ID, source: 'live', request_id: call.request_id });
    expect(values(result.fields)).toEqual({
      tool_name: 'find_booking',
      result: { status: 'found', booking_id: '12345678901234567890' },
      is_error: false,
      latency_seconds: 1.85,
    });
    expect(result.clock > call.clock).toBe(true);
  });

  test('flat', () => {
    const call = toolCall(fixture('agent-tool-call.flat'));

    expect(call).toMatchObject({ request_id: 'tc_flat_1', earliest: ms('2025-10-09T08:53:31Z') });
    expect(values(call.fields)).toEqual({
      tool_name: 'end_call',
      parameters: { reason: 'done' },
      result: 'no JSON at all',
      is_error: true,
    });
  });

  test.each(['parameters', 'arguments', 'tool_input', 'params_as_json'])('parameters in %s', (name) => {
    const call = (value: unknown) =>
      values(toolCall({ type: 'agent.tool_call', conversation_id: ID, data: { [name]: value } }).fields)['parameters'];

    expect(call({ a: 1 })).toEqual({ a: 1 });
    expect(call('{"a": 12345678901234567890}')).toEqual({ a: '12345678901234567890' });
    expect(call('[1, 2]')).toEqual([1, 2]);
    expect(call('just text')).toBe('just text');
  });

  test.each(['result', 'tool_output', 'result_value'])('a result in %s', (name) => {
    const call = toolCall({ type: 'agent.tool_call', conversation_id: ID, data: { [name]: '{"ok": true}' } });
    expect(values(call.fields)).toEqual({ result: { ok: true } });
  });

  test('is known by its request id, else by the id of its event, else by its content', () => {
    const key = (ids: object, data: object) =>
      toolCall({ type: 'agent.tool_call', conversation_id: ID, ...ids, data }).request_id;
    const body = { type: 'agent.tool_call', conversation_id: ID, data: { name: 'x' } };

    expect(key({ event_id: 'e' }, { tool_call_id: 'a', request_id: 'b', id: 'c' })).toBe('a');
    expect(key({ event_id: 'e' }, { request_id: 'b', id: 'c' })).toBe('b');
    expect(key({ event_id: 'e' }, { id: 'c' })).toBe('c');
    expect(key({ event_id: 'e' }, {})).toBe('e');
    expect(key({ event_id: 'e', id: 'c' }, {})).toBe('c');
    expect(toolCall(body).request_id).toBe(read(body).entry.id);
  });

  test('does not take its id from its metadata, where the id is of something else', () => {
    const call = toolCall({
      type: 'agent.tool_call',
      event_id: 'e',
      data: { conversation_id: ID, metadata: { id: 'session_5', name: 'Layla' } },
    });

    expect(call.request_id).toBe('e');
    expect(values(call.fields)).toEqual({ details: { metadata: { id: 'session_5', name: 'Layla' } } });
  });
});

describe('agent.action', () => {
  test('nested', () => {
    const changes = changesOf(fixture('agent-action.nested'));

    expect(changes.commands).toMatchObject([{ conversation_id: ID, action_id: 'act_1', earliest: T0 + 20_000 }]);
    expect(values(changes.commands[0]?.fields ?? {})).toEqual({
      user_id: 'user_layla',
      command: 'reschedule_booking',
      parameters: { day: 'thursday', seats: 2 },
      status: 'requested',
      details: { priority: 'high', metadata: { id: 'cust_5', status: 'vip', name: 'Layla' } },
    });
    expect(changes.profile?.user_id).toBe('user_layla');
    expect(values(changes.conversation.fields)['status']).toBe('in_progress');
  });

  test('flat, a later word on the same command', () => {
    const row = command(fixture('agent-action.flat'));

    expect(row).toMatchObject({ conversation_id: ID, action_id: 'act_1', earliest: T0 + 24_000 });
    expect(values(row.fields)).toEqual({
      user_id: 'user_layla',
      command: 'reschedule_booking',
      status: 'completed',
      details: { result: { ok: true } },
    });
    const before = command(fixture('agent-action.nested')).fields.status;
    expect((row.fields.status?.clock ?? '') > (before?.clock ?? '')).toBe(true);
  });

  test.each(['action', 'command', 'name'])('the command in %s', (name) => {
    const row = command({ type: 'agent.action', conversation_id: ID, data: { [name]: 'call_me_back' } });
    expect(values(row.fields)).toEqual({ command: 'call_me_back' });
  });

  test('the language beside a command is the language of its user', () => {
    const { conversation, profile, commands } = changesOf({
      type: 'agent.action',
      data: { conversation_id: ID, user_id: 'u', action: 'remember', language: 'ar-EG' },
    });
    expect(columns(conversation)).toMatchObject({ language: 'ar', dialect: 'eg' });
    expect(columns(profile)).toMatchObject({ language: 'ar', dialect: 'eg' });
    expect(values(commands[0]?.fields ?? {})).toEqual({ user_id: 'u', command: 'remember' });
  });
});
