import { describe, expect, test } from 'vitest';
import { changesOf, columns, fixture, ms, read, values } from '../support/deliver.ts';

const ID = 'conv_7401k9n2x8fae5vbq3t6m0cgdr4h';
const AGENT = 'agent_3101k1e6xrv2f4eb0xz6nbbrz035';
const CALL_SID = 'CA00000000000000000000000000000001';
const T0 = ms('2025-10-09T08:53:20Z');

/** The profile that a start with this caller makes. */
const profileOfCaller = (caller_number: string) =>
  changesOf({ type: 'conversation.started', data: { conversation_id: ID, caller_number } }).profile;

/** The profile of a user who has a language of their own, when a call starts with `data`. */
const profileOfUser = (data: object) =>
  changesOf({
    type: 'conversation.started',
    data: { conversation_id: ID, user_id: 'u', user_profile: { language: 'es-MX' }, ...data },
  }).profile;

describe('conversation.started', () => {
  test('nested, in seconds', () => {
    const changes = changesOf(fixture('conversation-started.nested'));

    expect(changes.conversation).toMatchObject({ id: ID, earliest: T0, latest: T0, transcript: null });
    expect(columns(changes.conversation)).toEqual({
      agent_id: AGENT,
      user_id: 'user_layla',
      status: 'in_progress',
      channel: 'phone',
      direction: 'inbound',
      external_number: '+201005550101',
      agent_number: '+12015550100',
      call_sid: CALL_SID,
      language: 'ar',
      dialect: 'eg',
      started_at: T0,
    });
    expect(values(changes.conversation.metadata)).toEqual({
      campaign: 'autumn',
      carrier: 'Example Mobile',
      region: 'cairo',
    });
    expect(changes.profile).toMatchObject({ user_id: 'user_layla', earliest: T0, latest: T0 });
    expect(columns(changes.profile)).toEqual({
      language: 'ar',
      dialect: 'eg',
      personality: { tone: 'warm', pace: 'slow' },
      phone_number: '+201005550101',
    });
    expect(values(changes.profile?.attributes ?? {})).toEqual({ first_name: 'Layla', loyalty_tier: 'gold' });
    expect(changes).toMatchObject({ messages: [], toolCalls: [], commands: [] });
  });

  test('flat, outbound, in milliseconds, with a start of its own', () => {
    const { conversation } = changesOf(fixture('conversation-started.flat'));

    expect(conversation).toMatchObject({ id: ID, earliest: T0 + 250, latest: T0 + 250 });
    expect(columns(conversation)).toEqual({
      agent_id: AGENT,
      user_id: 'user_layla',
      status: 'in_progress',
      channel: 'phone',
      direction: 'outbound',
      external_number: '+201005550101',
      agent_number: '+12015550100',
      call_sid: CALL_SID,
      language: 'ar',
      dialect: 'eg',
      started_at: T0 - 1500,
    });
    expect(values(conversation.metadata)).toEqual({ bridge_version: '2.4.1' });
  });

  test('its fields in data.metadata, the user beside data', () => {
    const { conversation, profile } = changesOf(fixture('conversation-started.metadata'));

    expect(columns(conversation)).toEqual({
      agent_id: AGENT,
      user_id: 'user_layla',
      status: 'in_progress',
      channel: 'web',
      language: 'pt',
      dialect: 'br',
      started_at: T0,
    });
    expect(values(conversation.metadata)).toEqual({ session_id: 's-9', user_id: 'crm-77' });
    expect(profile?.user_id).toBe('user_layla');
  });

  test('its fields in metadata beside the ids', () => {
    const { conversation } = changesOf({
      type: 'conversation.started',
      conversation_id: ID,
      metadata: { language: 'ar-EG', caller_number: '+201005550101', queue: 'sales' },
    });

    expect(columns(conversation)).toMatchObject({
      language: 'ar',
      dialect: 'eg',
      external_number: '+201005550101',
    });
    expect(values(conversation.metadata)).toEqual({ queue: 'sales' });
  });

  test('a profile is known by the number where there is no user, but not by a hidden one', () => {
    expect(profileOfCaller('+20 100 555 0101')?.user_id).toBe('+201005550101');
    expect(profileOfCaller('anonymous')).toBeNull();
  });

  test("a profile's own language is read where the call names none, and kept beside it otherwise", () => {
    expect(columns(profileOfUser({}))).toEqual({ language: 'es', dialect: 'mx' });
    expect(columns(profileOfUser({ language: 'en' }))).toEqual({ language: 'en', dialect: null });
    expect(values(profileOfUser({ language: 'en' })?.attributes ?? {})).toEqual({ language: 'es-MX' });
  });

  test('a dialect of no language is kept as it came', () => {
    const { conversation } = changesOf({
      type: 'conversation.started',
      data: { conversation_id: ID, dialect: 'eg' },
    });

    expect(conversation.dialects.size).toBe(0);
    expect(values(conversation.metadata)).toEqual({ dialect: 'eg' });
  });
});

describe('conversation.message', () => {
  test('nested, from the user: what they speak is the language of conversation and profile', () => {
    const changes = changesOf(fixture('conversation-message.nested'));

    expect(changes.messages).toEqual([
      {
        conversation_id: ID,
        source: 'live',
        event_key: 'user:msg_1',
        clock: expect.stringMatching(/^[0-9a-f]{32}$/),
        position: null,
        role: 'user',
        content: 'عايزة أغيّر ميعاد الحجز من فضلك',
        language: 'ar',
        time_in_call_seconds: 4,
        interrupted: false,
        details: { dialect: 'eg', confidence: 0.94, source_medium: 'audio' },
        created_at: T0 + 4000,
      },
    ]);
    expect(columns(changes.conversation)).toEqual({
      agent_id: AGENT,
      user_id: 'user_layla',
      status: 'in_progress',
      language: 'ar',
      dialect: 'eg',
      started_at: T0 + 4000,
    });
    expect(columns(changes.profile)).toEqual({ language: 'ar', dialect: 'eg' });
  });

  test('flat, from the assistant: the language is that of the message alone', () => {
    const changes = changesOf(fixture('conversation-message.flat'));

    expect(changes.messages).toMatchObject([
      {
        // The `id` beside the type is the event's or the session's, not the message's.
        event_key: read(fixture('conversation-message.flat')).entry.id,
        role: 'agent',
        content: 'Of course. Which day suits you?',
        language: 'en',
        time_in_call_seconds: null,
        interrupted: true,
        details: { dialect: 'us' },
        created_at: T0 + 9500,
      },
    ]);
    expect(columns(changes.conversation)).toEqual({ status: 'in_progress', started_at: T0 + 9500 });
    expect(changes.profile).toBeNull();
  });

  test.each([
    ['user', 'user'],
    ['agent', 'agent'],
    ['Assistant', 'agent'],
    ['system', 'system'],
  ])('role %s: %s', (role, expected) => {
    const [message] = changesOf({
      type: 'conversation.message',
      conversation_id: ID,
      data: { role, content: 'hi' },
    }).messages;
    expect(message).toMatchObject({ role: expected, content: 'hi', details: {} });
  });

  test('keeps a role, a dialect and a second text that it has no column for', () => {
    const [message] = changesOf({
      type: 'conversation.message',
      conversation_id: ID,
      data: { role: 'supervisor', dialect: 'eg', message: 'one', text: 'two', metadata: { text: 'three', id: 'm' } },
    }).messages;

    expect(message).toMatchObject({
      role: null,
      language: null,
      content: 'one',
      details: { role: 'supervisor', dialect: 'eg', text: 'two', metadata: { text: 'three', id: 'm' } },
    });
  });
});

describe('conversation.ended', () => {
  test('nested', () => {
    const { conversation } = changesOf(fixture('conversation-ended.nested'));

    expect(columns(conversation)).toEqual({
      agent_id: AGENT,
      user_id: 'user_layla',
      status: 'ended',
      started_at: T0 + 125_000,
      ended_at: T0 + 125_000,
      duration_seconds: 125.4,
      end_reason: 'Client ended the call',
      summary: 'Layla moved her booking to Thursday.',
    });
    expect(values(conversation.metadata)).toEqual({ message_count: 14 });
  });

  test('flat, with an end of its own', () => {
    const { conversation } = changesOf(fixture('conversation-ended.flat'));

    expect(columns(conversation)).toEqual({
      status: 'ended',
      started_at: T0 + 126_000,
      ended_at: T0 + 125_500,
      duration_seconds: 126,
      end_reason: 'silence',
    });
  });
});

describe('what is said of a user whom the event does not name', () => {
  const about = { personality: { tone: 'warm' }, user_profile: { tier: 'gold', empty: '', personality: 'unread' } };
  const kept = { personality: { tone: 'warm' }, 'user_profile.tier': 'gold', 'user_profile.personality': 'unread' };

  test.each(['conversation.started', 'conversation.message', 'conversation.ended', 'agent.tool_call', 'agent.action'])(
    '%s keeps it with the conversation, each attribute by itself',
    (type) => {
      const changes = changesOf({ type, data: { conversation_id: ID, ...about, note: 'x' } });
      expect(changes.profile).toBeNull();
      expect(values(changes.conversation.metadata)).toMatchObject(kept);
      expect(JSON.stringify([changes.messages, changes.commands, changes.toolCalls])).not.toMatch(/warm|gold/);
    },
  );

  test('an account of the finished call does so beside its own metadata', () => {
    const data = { conversation_id: ID, ...about, metadata: { call_duration_secs: 5, timezone: 'x' } };
    const { conversation } = changesOf({ type: 'post_call_transcription', data });
    expect(values(conversation.metadata)).toMatchObject({ ...kept, timezone: 'x' });
  });

  test('the personality within a user_profile is one as well', () => {
    const { conversation } = changesOf({
      type: 'conversation.ended',
      data: { conversation_id: ID, user_profile: { personality: 'calm' } },
    });
    expect(values(conversation.metadata)).toEqual({ personality: 'calm' });
  });
});
