import { describe, expect, it } from 'vitest';
import { chatRows, keepSame, type ChatParts } from '../../pages/conversations/chat-rows.ts';
import { cuesOf, currentTurn } from '../../pages/conversations/current-turn.ts';
import type { MessageItem, ToolCallItem } from '../../src/api/contract/conversations.ts';

const START = Date.UTC(2026, 0, 31, 12);

function at(seconds: number): string {
  return new Date(START + seconds * 1000).toISOString();
}

function turn(key: string, seconds: number, given: Partial<MessageItem> = {}): MessageItem {
  const position = Number(key);
  return {
    event_key: key,
    source: 'transcript',
    position,
    role: 'agent',
    content: `turn ${key}`,
    language: null,
    time_in_call_seconds: seconds,
    interrupted: false,
    details: {},
    created_at: at(seconds),
    ...given,
  };
}

function call(id: string, given: Partial<ToolCallItem>): ToolCallItem {
  return {
    request_id: id,
    source: 'transcript',
    tool_name: id,
    tool_type: null,
    parameters: {},
    result: null,
    is_error: false,
    latency_seconds: null,
    position: null,
    time_in_call_seconds: null,
    created_at: at(0),
    ...given,
  };
}

function keysOf(parts: Partial<ChatParts>): string[] {
  return chatRows({ started_at: at(0), transcript: [], calls: [], commands: [], ...parts }).map(({ key }) => key);
}

describe('the lines of a chat', () => {
  it('puts a call behind the turn that made it, and leaves out the turn without words', () => {
    const transcript = [turn('0', 0), turn('1', 4, { content: null }), turn('2', 9)];
    const keys = keysOf({ transcript, calls: [call('find', { position: 1 }), call('book', { position: 2 })] });
    expect(keys).toEqual(['transcript:0', 'call:transcript:find', 'transcript:2', 'call:transcript:book']);
  });

  it('keeps a turn of the caller that has no words', () => {
    expect(keysOf({ transcript: [turn('0', 0, { role: 'user', content: null })] })).toEqual(['transcript:0']);
  });

  it('puts a call without a turn behind the last turn before its time', () => {
    const live = { source: 'live', position: null, time_in_call_seconds: null };
    const transcript = [turn('a', 1, live), turn('b', 5, live)];
    const calls = [call('early', { created_at: at(0) }), call('late', { created_at: at(5) })];
    expect(keysOf({ transcript, calls })).toEqual([
      'call:transcript:early',
      'live:a',
      'live:b',
      'call:transcript:late',
    ]);
  });

  it('puts a call by its seconds where nobody said which turn made it', () => {
    const transcript = [turn('0', 0), turn('1', 10), turn('2', 20)];
    const calls = [call('x', { time_in_call_seconds: 12, created_at: at(99) })];
    expect(keysOf({ transcript, calls })).toEqual([
      'transcript:0',
      'transcript:1',
      'call:transcript:x',
      'transcript:2',
    ]);
  });

  it('puts a command by its time', () => {
    const command = { action_id: 'c', command: 'book', parameters: null, status: null, created_at: at(6) };
    expect(keysOf({ transcript: [turn('0', 0), turn('1', 9)], commands: [command] })).toEqual([
      'transcript:0',
      'command:c',
      'transcript:1',
    ]);
  });
});

it('keeps lines that stayed as they were', () => {
  const parts = { started_at: at(0), transcript: [turn('0', 0), turn('1', 3)], calls: [], commands: [] };
  const before = chatRows(parts);
  expect(keepSame(before, chatRows(parts))).toBe(before);
  const after = keepSame(before, chatRows({ ...parts, transcript: [turn('0', 0), turn('1', 3, { content: 'more' })] }));
  expect(after[0]).toBe(before[0]);
  expect(after[1]).toMatchObject({ turn: { content: 'more' } });
});

describe('the current turn', () => {
  const cues = [
    { key: 'a', seconds: 0 },
    { key: 'b', seconds: 3 },
    { key: 'c', seconds: 3 },
    { key: 'd', seconds: 8.5 },
  ];

  it.each([
    [-1, null],
    [0, 'a'],
    [2.9, 'a'],
    [3, 'c'],
    [8.49, 'c'],
    [8.5, 'd'],
    [9_999, 'd'],
  ])('at %d s is %s', (seconds, key) => {
    expect(currentTurn(cues, seconds)).toBe(key);
  });

  it('never goes back where a turn claims an earlier time than the one above it', () => {
    const rows = chatRows({
      started_at: at(0),
      transcript: [turn('0', 5), turn('1', 4), turn('2', 6)],
      calls: [],
      commands: [],
    });
    expect(cuesOf(rows)).toEqual([
      { key: 'transcript:0', seconds: 5 },
      { key: 'transcript:1', seconds: 5 },
      { key: 'transcript:2', seconds: 6 },
    ]);
  });
});
