import { describe, expect, test } from 'vitest';
import { changesOf, columns, fixture, ms, printed, values } from '../support/deliver.ts';

const ID = 'conv_7401k9n2x8fae5vbq3t6m0cgdr4h';
const AGENT = 'agent_3101k1e6xrv2f4eb0xz6nbbrz035';
const T0 = ms('2025-10-09T08:53:20Z');

describe('a call of 40 turns', () => {
  const changes = changesOf(fixture('post-call-transcription'));
  const { conversation, messages, toolCalls, profile } = changes;

  test('gives the conversation every column', () => {
    expect(conversation).toMatchObject({ id: ID, earliest: T0 + 130_000, latest: T0 + 130_000 });
    expect(columns(conversation)).toEqual({
      agent_id: AGENT,
      user_id: 'user_layla',
      status: 'done',
      failure_reason: null,
      channel: 'phone',
      direction: 'inbound',
      external_number: '201005550101',
      agent_number: '+12015550100',
      call_sid: 'CA00000000000000000000000000000001',
      language: 'ar',
      dialect: null,
      started_at: T0,
      ended_at: T0 + 121_000,
      duration_seconds: 121,
      end_reason: 'end_call tool was called.',
      title: 'Booking moved to Thursday',
      summary: 'Layla moved her booking to Thursday and added a child seat.',
      call_successful: 'success',
      cost_credits: 296,
      analysis: {
        evaluation_criteria_results: {
          rebooked: { criteria_id: 'rebooked', result: 'success', rationale: 'The booking was moved.' },
        },
        data_collection_results: { day: { value: 'thursday' } },
        call_successful: 'success',
        transcript_summary: 'Layla moved her booking to Thursday and added a child seat.',
        call_summary_title: 'Booking moved to Thursday',
      },
    });
  });

  test('keeps what has no column in the metadata', () => {
    expect(values(conversation.metadata)).toMatchObject({
      agent_name: 'Harbour Bookings',
      branch_id: 'agtbrch_0001',
      environment: 'production',
      has_audio: true,
      main_language: 'en',
      timezone: 'Africa/Cairo',
      authorization_method: 'authorization_header',
      charging: { dev_discount: false, llm_price: 0.000_067_8, tier: 'pro' },
      phone_call: { phone_number_id: 'phnum_01', stream_sid: 'MZ01', external_number: '20 100 555 0101' },
      new_field_of_next_year: { kept: true },
      conversation_initiation_client_data: {
        user_id: 'user_from_client_data',
        dynamic_variables: { customer_name: 'Layla', visits: 3, vip: true, system__caller_id: '+201005550101' },
      },
    });
  });

  test('gives 40 messages, each at its position and time', () => {
    expect(messages.map((message) => message.position)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(messages.map((message) => message.event_key)).toEqual(Array.from({ length: 40 }, (_, i) => String(i)));
    expect(new Set(messages.map((message) => message.clock))).toEqual(new Set([conversation.transcript]));
    expect(messages[7]).toEqual({
      conversation_id: ID,
      source: 'transcript',
      event_key: '7',
      clock: conversation.transcript,
      position: 7,
      role: 'user',
      content: 'Yes. Can I move them to Thursday?',
      language: null,
      time_in_call_seconds: 21,
      interrupted: false,
      details: { source_medium: 'audio' },
      created_at: T0 + 21_000,
    });
    expect(messages[24]).toMatchObject({
      role: 'agent',
      interrupted: true,
      details: { original_message: 'للأسف فاضل كرسي واحد بس، تحب نحجزه؟', agent_metadata: { agent_id: AGENT } },
    });
  });

  test('a turn that only calls a tool is a message without content', () => {
    expect(messages[4]).toMatchObject({ role: 'agent', content: null, created_at: T0 + 12_000 });
    expect(messages[5]).toMatchObject({ role: 'agent', content: null, created_at: T0 + 12_000 });
    expect(messages.filter((message) => message.content === null).map((message) => message.position)).toEqual([
      4, 5, 8, 9, 12, 13, 16, 17, 22, 23, 28, 29, 38,
    ]);
  });

  test('joins each tool call with the result from a later turn', () => {
    expect(
      toolCalls.map((call) => [call.request_id, (call.earliest - T0) / 1000, { ...values(call.fields), details: 0 }]),
    ).toEqual([
      [
        'find_booking_a1',
        12,
        {
          tool_name: 'find_booking',
          tool_type: 'webhook',
          parameters: { reference: 'QX7' },
          result: { status: 'found', booking_id: '12345678901234567890', seats: 2 },
          is_error: false,
          latency_seconds: 1.853_743_92,
          details: 0,
        },
      ],
      [
        'check_places_b2',
        24,
        {
          tool_name: 'check_places',
          tool_type: 'webhook',
          parameters: { day: 'thursday', seats: 2 },
          result: { places: 6 },
          is_error: false,
          latency_seconds: 0.42,
          details: 0,
        },
      ],
      [
        'language_detection_c3',
        36,
        {
          tool_name: 'language_detection',
          tool_type: 'system',
          parameters: { reason: 'the user asked for Arabic', language: 'ar' },
          result: { status: 'success' },
          is_error: false,
          latency_seconds: 0,
          details: 0,
        },
      ],
      [
        'move_booking_d4',
        48,
        {
          tool_name: 'move_booking',
          tool_type: 'mcp',
          parameters: { booking_id: 'QX7', day: 'thursday' },
          result: 'moved',
          is_error: false,
          latency_seconds: 2.2,
          details: 0,
        },
      ],
      [
        'add_child_seats_e5',
        66,
        {
          tool_name: 'add_child_seats',
          tool_type: 'client',
          parameters: { count: 2 },
          result: 'Only one child seat is left',
          is_error: true,
          latency_seconds: 0.9,
          details: 0,
        },
      ],
      [
        'parking_f6',
        84,
        {
          tool_name: 'parking_info',
          tool_type: 'webhook',
          parameters: {},
          result: { free: true },
          is_error: false,
          latency_seconds: 0.31,
          details: 0,
        },
      ],
      [
        'end_call_g7',
        114,
        { tool_name: 'end_call', tool_type: 'system', parameters: { reason: 'goodbye' }, details: 0 },
      ],
    ]);
    expect(toolCalls.every((call) => call.source === 'transcript' && call.clock === conversation.transcript)).toBe(
      true,
    );
    expect(toolCalls[4]?.fields.details?.value).toMatchObject({
      tool_has_been_called: true,
      result: { tool_has_been_called: true, error_type: 'business', raw_error_message: 'seats < 2' },
    });
  });

  test('gives the user a profile', () => {
    expect(profile).toMatchObject({ user_id: 'user_layla', earliest: T0 + 130_000, latest: T0 + 130_000 });
    expect(columns(profile)).toEqual({ language: 'ar', dialect: null, phone_number: '201005550101' });
  });

  test('never shows a secret variable', () => {
    expect(fixture('post-call-transcription')).toContain('tok_do_not_show');
    expect(printed(changes)).not.toMatch(/secret__|tok_do_not_show/);
  });
});
