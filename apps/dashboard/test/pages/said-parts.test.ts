import { describe, expect, it } from 'vitest';
import {
  addPart,
  beginSaid,
  chatPartsOf,
  cursorBehind,
  isNearEnd,
  messageKey,
  needsCalls,
  readAgain,
  type Said,
} from '../../pages/conversations/said-parts.ts';
import type { ConversationDetail, MessageItem, ToolCallItem } from '../../src/api/contract/conversations.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 31, 12) + seconds * 1000).toISOString();

const turn = (position: number, source = 'transcript'): MessageItem => ({
  event_key: `turn:${position}`,
  source,
  position: source === 'live' ? null : position,
  role: 'user',
  content: `turn ${position}`,
  language: null,
  time_in_call_seconds: position,
  interrupted: false,
  details: {},
  created_at: at(position),
});

const toolCall = (position: number, source = 'transcript'): ToolCallItem => ({
  request_id: `r${position}`,
  source,
  tool_name: 'find',
  tool_type: null,
  parameters: {},
  result: null,
  is_error: false,
  latency_seconds: null,
  position: source === 'live' ? null : position,
  time_in_call_seconds: null,
  created_at: at(position),
});

const conversation = (given: Partial<ConversationDetail>): ConversationDetail => ({
  id: 'conv-1',
  agent_id: null,
  user_id: null,
  status: 'done',
  channel: null,
  direction: null,
  external_number: null,
  language: null,
  dialect: null,
  started_at: at(0),
  ended_at: null,
  duration_seconds: null,
  title: null,
  summary: null,
  call_successful: null,
  failure_reason: null,
  end_reason: null,
  messages: 6,
  tool_calls: 0,
  has_recording: false,
  erased_at: null,
  completeness: null,
  agent_number: null,
  call_sid: null,
  cost_credits: null,
  analysis: null,
  metadata: {},
  delete_transcript_at: null,
  delete_audio_at: null,
  completeness_reason: null,
  changed_at: at(0),
  transcript: [turn(0), turn(1)],
  messages_next: 'behind-2',
  calls: [],
  calls_next: null,
  commands: [],
  recordings: [],
  profile: null,
  other_conversations: [],
  ...given,
});

/** The conversation, with turns 2 and 3 read behind the first part. */
function readOn(said: Said, next: string | null = 'behind-4'): Said {
  const part = { items: [turn(2), turn(3)], next, keyOf: messageKey };
  return { ...said, messages: addPart(said.messages, 'behind-2', part) };
}

const positions = ({ messages }: Said) => messages.items.map(({ event_key }) => event_key.replace('turn:', ''));

describe('what was read of a conversation', () => {
  it('goes on part after part, to the end', () => {
    const first = beginSaid(conversation({}));
    expect(cursorBehind(first.messages, 6)).toBe('behind-2');
    const second = readOn(first);
    expect(positions(second)).toEqual(['0', '1', '2', '3']);
    expect(cursorBehind(second.messages, 6)).toBe('behind-4');
    const last = addPart(second.messages, 'behind-4', { items: [turn(4), turn(5)], next: null, keyOf: messageKey });
    expect([last.items.length, cursorBehind(last, 6)]).toEqual([6, null]);
  });

  it('stays when the conversation is read again, also where its first part has become shorter', () => {
    const again = readAgain(readOn(beginSaid(conversation({}))), conversation({ transcript: [turn(0)] }));
    expect(positions(again)).toEqual(['0', '1', '2', '3']);
    expect(cursorBehind(again.messages, 6)).toBe('behind-4');
  });

  it('has the last part read again when a call that goes on has more', () => {
    const live = { transcript: [turn(0, 'live'), turn(1, 'live')], messages: 4 };
    const part = { items: [turn(2, 'live'), turn(3, 'live')], next: null, keyOf: messageKey };
    const first = beginSaid(conversation(live));
    const whole = { ...first, messages: addPart(first.messages, 'behind-2', part) };
    expect(cursorBehind(whole.messages, 4)).toBeNull();
    const again = readAgain(whole, conversation({ ...live, messages: 5 }));
    expect(cursorBehind(again.messages, 5)).toBe('behind-2');
    const more = { items: [...part.items, turn(4, 'live')], next: null, keyOf: messageKey };
    expect(addPart(again.messages, 'behind-2', more).items.map(({ event_key }) => event_key)).toEqual([
      'turn:0',
      'turn:1',
      'turn:2',
      'turn:3',
      'turn:4',
    ]);
  });

  it.each<[what: string, again: Partial<ConversationDetail>]>([
    ['its transcript takes the place of live events', { transcript: [turn(0, 'live')] }],
    ['there are fewer turns than were read', { messages: 3 }],
    ['it is another one', { id: 'conv-2' }],
  ])('begins anew when %s', (_, given) => {
    const again = conversation(given);
    const { messages } = readAgain(readOn(beginSaid(conversation({}))), again);
    expect(messages).toEqual({ items: again.transcript, next: 'behind-2', last: null });
  });
});

describe('the tool calls of turns in later parts', () => {
  it('wait for their turn', () => {
    const calls = [toolCall(1), toolCall(3), toolCall(0, 'live'), toolCall(2, 'live')];
    const first = beginSaid(conversation({ calls }));
    expect(chatPartsOf(first).calls).toEqual([toolCall(1), toolCall(0, 'live')]);
    expect(chatPartsOf(readOn(first)).calls).toEqual(calls);
    expect(chatPartsOf(readOn(beginSaid(conversation({ calls: [toolCall(9)] })), null)).calls).toEqual([toolCall(9)]);
  });

  it('are read as far as the turns are', () => {
    const needs = (calls: ToolCallItem[], calls_next: string | null = 'more') =>
      needsCalls(beginSaid(conversation({ calls, calls_next })));
    expect([needs([toolCall(0)]), needs([toolCall(1)]), needs([toolCall(2)])]).toEqual([true, true, false]);
    expect(needs([toolCall(0)], null)).toBe(false);
    expect(needsCalls(readOn(beginSaid(conversation({ calls: [toolCall(9)], calls_next: 'more' })), null))).toBe(true);
  });

  it('as do commands', () => {
    const command = { action_id: 'a', command: null, parameters: null, status: null, created_at: at(3) };
    const first = beginSaid(conversation({ commands: [command] }));
    expect([chatPartsOf(first).commands, chatPartsOf(readOn(first)).commands]).toEqual([[], [command]]);
  });
});

describe('a recording', () => {
  it('wants the next part some time before it is there, and not before somebody plays it', () => {
    expect([0, 60, 90, 500].map((heard) => isNearEnd(100, heard))).toEqual([false, false, true, true]);
    expect(isNearEnd(5, 0)).toBe(false);
  });
});
