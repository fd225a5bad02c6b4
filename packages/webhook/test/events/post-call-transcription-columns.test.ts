import { describe, expect, test } from 'vitest';
import { changesOf, columns, fixture, ms, read, values } from '../support/deliver.ts';

const ID = 'conv_7401k9n2x8fae5vbq3t6m0cgdr4h';
const AGENT = 'agent_3101k1e6xrv2f4eb0xz6nbbrz035';
const T0 = ms('2025-10-09T08:53:20Z');

/** A transcript event of one call, with these fields in `data`. */
const transcription = (data: object) => ({
  type: 'post_call_transcription',
  event_timestamp: T0 / 1000 + 130,
  data: { agent_id: AGENT, conversation_id: ID, status: 'done', ...data },
});

/** The conversation's columns after it. */
const fields = (data: object) => columns(changesOf(transcription(data)).conversation);

/** The event with these settings of deletion. */
const settings = (deletion_settings: unknown) => transcription({ metadata: { deletion_settings } });

/** What they order: when the transcript and when the audio is to be deleted. */
const ordered = (deletion_settings: unknown) => {
  const { delete_transcript_at, delete_audio_at } = columns(changesOf(settings(deletion_settings)).conversation);
  return [delete_transcript_at, delete_audio_at];
};

/** A turn in which the agent notes a language. */
const detection = (language: string, time_in_call_secs: number) => ({
  role: 'agent',
  time_in_call_secs,
  tool_calls: [{ tool_name: 'language_detection', request_id: language, params_as_json: JSON.stringify({ language }) }],
  tool_results: [{ request_id: language, result_value: '{"status": "success"}', tool_has_been_called: true }],
});

describe('what may be null or missing', () => {
  test('is null everywhere, and the turns are there', () => {
    const { conversation, messages, toolCalls, profile } = changesOf(fixture('post-call-transcription.nulls'));

    expect(values(conversation.fields)).toEqual({
      agent_id: AGENT,
      status: 'done',
      failure_reason: null,
      channel: 'web',
      started_at: T0 + 130_000,
    });
    expect(messages.map(({ role, content, details, created_at }) => ({ role, content, details, created_at }))).toEqual([
      { role: 'agent', content: null, details: {}, created_at: T0 + 130_000 },
      { role: 'agent', content: null, details: {}, created_at: T0 + 130_000 },
      { role: null, content: null, details: {}, created_at: T0 + 130_000 },
    ]);
    expect(toolCalls.map((call) => [call.request_id, values(call.fields)])).toEqual([['1.0', {}]]);
    expect(profile).toBeNull();
  });

  test.each([[undefined], [null], [[]]])(
    'transcript %j: no messages, and no claim to outrank the live ones',
    (transcript) => {
      const changes = changesOf(transcription({ transcript }));
      expect(changes.messages).toEqual([]);
      expect(changes.conversation.transcript).toBeNull();
    },
  );

  test.each([[{ 0: 'a' }], ['a'], [7], [true]])(
    'transcript %j: a dead letter, for it holds turns we cannot see',
    (transcript) => {
      expect(read(transcription({ transcript }))).toMatchObject({
        outcome: 'dead',
        fault: { code: 'transcript_not_array' },
        entry: { type: 'post_call_transcription', conversationId: ID, eventAt: T0 + 130_000 },
      });
    },
  );

  test('the user is data.user_id, else that of the client data', () => {
    const client = { user_id: 'from_client' };

    expect(fields({ user_id: 'from_data', conversation_initiation_client_data: client })['user_id']).toBe('from_data');
    expect(fields({ user_id: null, conversation_initiation_client_data: client })['user_id']).toBe('from_client');
    expect(fields({ metadata: { user_id: 'from_metadata' } })['user_id']).toBeUndefined();
  });
});

describe('what the account orders to be deleted', () => {
  const at = T0 / 1000 + 86_400;
  test.each([
    [{ deletion_time_unix_secs: at, delete_transcript_and_pii: true, delete_audio: true }, [at * 1000, at * 1000]],
    [{ deletion_time_unix_secs: at, delete_transcript_and_pii: true, delete_audio: false }, [at * 1000, null]],
    [{ deletion_time_unix_secs: at, delete_audio: true }, [undefined, at * 1000]],
    [{ deletion_time_unix_secs: 1_000_000_000.5, delete_audio: true }, [undefined, 1_000_000_000_500]],
    // To order that something stays takes no time.
    [{ delete_transcript_and_pii: false, delete_audio: false }, [null, null]],
  ])('%j', (given, expected) => {
    expect(ordered(given)).toEqual(expected);
  });

  test.each([
    ['a time as a text', { deletion_time_unix_secs: String(at), delete_audio: true }],
    ['a time in ISO 8601', { deletion_time_unix_secs: '2026-01-01T00:00:00Z', delete_audio: true }],
    ['a negative time', { deletion_time_unix_secs: -at, delete_audio: true }],
    ['0', { deletion_time_unix_secs: 0, delete_audio: true }],
    // As milliseconds, this would be 2018.
    ['a time in the year 50000', { deletion_time_unix_secs: 1_515_700_000_000, delete_audio: true }],
    ['a time in milliseconds', { deletion_time_unix_secs: at * 1000, delete_audio: true }],
    ['a time that is no number', { deletion_time_unix_secs: {}, delete_audio: true }],
    ['no time', { deletion_time_unix_secs: null, delete_audio: true }],
    ['an order that is a text', { deletion_time_unix_secs: at, delete_audio: 'true' }],
    ['an order that is a number', { deletion_time_unix_secs: at, delete_audio: 1 }],
    ['no order', { deletion_time_unix_secs: at }],
    ['a list', [{ deletion_time_unix_secs: at, delete_audio: true }]],
    ['a text', 'delete_audio'],
    ['null', null],
  ])('%s says nothing', (_, given) => {
    expect(ordered(given)).toEqual([undefined, undefined]);
  });

  test('stays in the metadata as well, as it was told', () => {
    const told = { deletion_time_unix_secs: at, delete_transcript_and_pii: true };
    expect(values(changesOf(settings(told)).conversation.metadata)).toEqual({ deletion_settings: told });
  });
});

describe('single columns', () => {
  test.each([
    ['initiated', 'initiated'],
    ['in-progress', 'in_progress'],
    ['in_progress', 'in_progress'],
    ['processing', 'processing'],
    ['done', 'done'],
    ['failed', 'failed'],
    [null, 'done'],
  ])('status %s: %s', (status, expected) => {
    expect(fields({ status })['status']).toBe(expected);
  });

  test.each([
    [{ phone_call: { type: 'exotel' } }, 'phone'],
    [{ phone_call: null }, 'web'],
    [{ phone_call: null, whatsapp: { whatsapp_user_id: '1' } }, 'whatsapp'],
    [{ phone_call: null, sms: { from: '1' } }, 'sms'],
    [{}, undefined],
  ])('metadata %j: channel %s', (metadata, channel) => {
    expect(fields({ metadata })['channel']).toBe(channel);
  });

  test('numbers from the system variables where there is no phone_call', () => {
    const dynamic_variables = {
      system__caller_id: '+1 252 555 0101',
      system__called_number: '+12015550100',
      system__call_sid: 'CA1',
    };
    expect(fields({ conversation_initiation_client_data: { dynamic_variables } })).toMatchObject({
      external_number: '+12525550101',
      agent_number: '+12015550100',
      call_sid: 'CA1',
    });
  });

  test('the last language detected, before any configured one', () => {
    const metadata = { main_language: 'en', start_time_unix_secs: T0 / 1000 };
    const client = { conversation_config_override: { agent: { language: 'es-MX' } } };

    expect(fields({ metadata, transcript: [detection('ta', 5), detection('pt-BR', 9)] })).toMatchObject({
      language: 'pt',
      dialect: 'br',
    });
    expect(fields({ metadata })).toMatchObject({ language: 'en', dialect: null });
    expect(fields({ metadata, conversation_initiation_client_data: client })).toMatchObject({
      language: 'es',
      dialect: 'mx',
    });
  });

  test('seconds that lead nowhere do not carry a time out of range', () => {
    const { conversation, messages } = changesOf(
      transcription({
        transcript: [
          { role: 'user', message: 'a', time_in_call_secs: 1e300 },
          { role: 'user', time_in_call_secs: -5 },
        ],
        metadata: { start_time_unix_secs: T0 / 1000, call_duration_secs: 1e15 },
      }),
    );

    expect(messages.map((message) => message.created_at)).toEqual([T0, T0]);
    expect(messages[0]?.time_in_call_seconds).toBe(1e300);
    expect(values(conversation.fields)).toMatchObject({ duration_seconds: 1e15 });
    expect(values(conversation.fields)).not.toHaveProperty('ended_at');
  });
});

describe('tool calls', () => {
  test('a result without a call, and a call whose id is too long to be a key, are rows of their own', () => {
    const { toolCalls } = changesOf(
      transcription({
        transcript: [
          { role: 'agent', tool_calls: [{ request_id: 'x'.repeat(257), tool_name: 'a' }, 'no object'] },
          {
            role: 'agent',
            tool_results: [{ request_id: 'r', tool_name: 'b', type: 'mcp', result_value: null, is_error: true }],
          },
        ],
      }),
    );

    expect(toolCalls.map((call) => [call.request_id, values(call.fields)])).toEqual([
      ['0.0', { tool_name: 'a', details: { request_id: 'x'.repeat(257) } }],
      ['0.1', { details: { call: 'no object' } }],
      ['r', { tool_name: 'b', tool_type: 'mcp', is_error: true }],
    ]);
  });

  test('details of call and result stand together, each its own', () => {
    const [call] = changesOf(
      transcription({
        transcript: [
          { tool_calls: [{ request_id: 'r', tool_has_been_called: false, x: 1 }] },
          { tool_results: [{ request_id: 'r', tool_has_been_called: true, error_type: 'timeout' }] },
        ],
      }),
    ).toolCalls;
    expect(call?.fields.details?.value).toEqual({
      tool_has_been_called: false,
      x: 1,
      result: { tool_has_been_called: true, error_type: 'timeout' },
    });
  });
});
