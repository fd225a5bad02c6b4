import { describe, expect, test } from 'vitest';
import { changesOf, fixture, ms, values } from '../support/deliver.ts';

const ID = 'conv_7401k9n2x8fae5vbq3t6m0cgdr4h';
const AGENT = 'agent_3101k1e6xrv2f4eb0xz6nbbrz035';
const T0 = ms('2025-10-09T08:53:20Z');
const NO_ROWS = { messages: [], toolCalls: [], commands: [] };

describe('post_call_transcription_otel', () => {
  test('notes how many spans there are and when the first began', () => {
    const changes = changesOf(fixture('post-call-transcription-otel'));

    expect(changes).toMatchObject({ ...NO_ROWS, profile: null });
    expect(values(changes.conversation.fields)).toEqual({ agent_id: AGENT, status: 'done', started_at: T0 + 750 });
    expect(values(changes.conversation.metadata)).toEqual({ otel: { span_count: 3 } });
  });

  test.each([
    ['no traces', {}],
    ['null', { otlp_traces: null }],
    [
      'no lists in them',
      { otlp_traces: { resourceSpans: [null, 5, { scopeSpans: 'x' }, { scopeSpans: [{ spans: {} }] }] } },
    ],
  ])('%s: no spans, and the event is the only sign of the start', (_, data) => {
    const { conversation } = changesOf({
      type: 'post_call_transcription_otel',
      event_timestamp: T0 / 1000,
      data: { conversation_id: ID, ...data },
    });
    expect(values(conversation.fields)).toEqual({ status: 'done', started_at: T0 });
    expect(values(conversation.metadata)).toEqual({ otel: { span_count: 0 } });
  });

  test('reads nanoseconds as text or number, and passes over what is none', () => {
    const spans = [1, '12', 'x', null, '00000000000000000', '99999999999999999999999'].map((startTimeUnixNano) => ({
      startTimeUnixNano,
    }));
    const otlp_traces = { resourceSpans: [{ scopeSpans: [{ spans }] }] };
    const body = JSON.stringify({
      type: 'post_call_transcription_otel',
      data: { conversation_id: ID, otlp_traces },
    }).replace('"12"', '1760000000750000001');

    expect(values(changesOf(body).conversation.fields)['started_at']).toBe(T0 + 750);
  });

  test('two hundred thousand spans are no more trouble than one', () => {
    const spans = Array.from({ length: 200_000 }, () => ({ startTimeUnixNano: '1760000000750000000' }));
    const { conversation } = changesOf({
      type: 'post_call_transcription_otel',
      data: { conversation_id: ID, otlp_traces: { resourceSpans: [{ scopeSpans: [{ spans }] }] } },
    });
    expect(values(conversation.metadata)).toEqual({ otel: { span_count: 200_000 } });
  });
});

describe('call_initiation_failure', () => {
  test('over Twilio', () => {
    const changes = changesOf(fixture('call-initiation-failure.twilio'));

    expect(changes).toMatchObject(NO_ROWS);
    expect(values(changes.conversation.fields)).toEqual({
      agent_id: AGENT,
      status: 'failed',
      channel: 'phone',
      direction: 'outbound',
      external_number: '+447700900123',
      agent_number: '+12015550100',
      call_sid: 'CA00000000000000000000000000000002',
      failure_reason: 'no-answer',
      started_at: T0,
    });
    expect(values(changes.conversation.metadata)).toEqual({
      call_initiation_failure: {
        type: 'twilio',
        AccountSid: 'AC00000000000000000000000000000001',
        CallStatus: 'no-answer',
        Direction: 'outbound-api',
        SipResponseCode: '487',
        Duration: '0',
        ToState: '',
        Timestamp: 'Thu, 09 Oct 2025 08:53:20 +0000',
      },
    });
    expect(changes.profile?.user_id).toBe('+447700900123');
    expect(values(changes.profile?.fields ?? {})).toEqual({ phone_number: '+447700900123' });
  });

  test('over SIP, the time in digits', () => {
    const { conversation } = changesOf(fixture('call-initiation-failure.sip'));

    expect(values(conversation.fields)).toEqual({
      agent_id: AGENT,
      status: 'failed',
      channel: 'phone',
      direction: 'outbound',
      external_number: '01632960001',
      agent_number: '+12015550100',
      call_sid: 'd8e7f6a5-b4c3-4d5e-8f9a-000000000000',
      failure_reason: 'busy',
      started_at: T0,
    });
    expect(values(conversation.metadata)).toEqual({
      call_initiation_failure: {
        type: 'sip',
        sip_status_code: 486,
        error_reason: 'INVITE failed: sip status: 486: Busy here (SIP 486)',
        sip_status: 'Busy here',
      },
    });
  });

  test('without a body', () => {
    const { conversation, profile } = changesOf({
      type: 'call_initiation_failure',
      data: { conversation_id: ID, failure_reason: 'unknown', metadata: { type: 'sip', body: 'lost' } },
    });

    expect(values(conversation.fields)).toMatchObject({ status: 'failed', failure_reason: 'unknown' });
    expect(values(conversation.fields)).not.toHaveProperty('external_number');
    expect(values(conversation.metadata)).toEqual({ body: 'lost', call_initiation_failure: { type: 'sip' } });
    expect(profile).toBeNull();
  });
});

const audioOf = (full_audio: unknown) =>
  changesOf({ type: 'post_call_audio', event_timestamp: T0 / 1000, data: { conversation_id: ID, full_audio } });

describe('post_call_audio', () => {
  test('notes that a recording exists, and leaves the sound in the ledger', () => {
    const changes = changesOf(fixture('post-call-audio'));

    expect(changes).toMatchObject({ ...NO_ROWS, profile: null });
    expect(values(changes.conversation.fields)).toEqual({
      agent_id: AGENT,
      status: 'ended',
      started_at: T0 + 150_000,
    });
    expect(values(changes.conversation.metadata)).toEqual({
      recording: { available: true, format: 'mp3', size_bytes: 35 },
    });
  });

  test.each([null, undefined, ''])('full_audio %j: no recording', (full_audio) => {
    const { conversation } = changesOf({ type: 'post_call_audio', data: { conversation_id: ID, full_audio } });
    expect(values(conversation.metadata)['recording']).toMatchObject({ available: false, size_bytes: 0 });
  });

  test.each([0, 1, 2, 3, 4, 5, 1000])('%i bytes of audio have their size in the metadata', (size) => {
    const full_audio = Buffer.alloc(size, 7).toString('base64');
    const { conversation } = changesOf({ type: 'post_call_audio', data: { conversation_id: ID, full_audio } });
    expect(values(conversation.metadata)['recording']).toMatchObject({ size_bytes: size });
  });

  // printf 'abc' | sha256sum
  const SHA256_OF_ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

  test.each(['YWJj', 'YW\nJj', 'YWJj===='])('audio in the body (%j) is a recording that no storage has', (text) => {
    expect(audioOf(text).recordings).toEqual([
      {
        conversation_id: ID,
        event_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/),
        url: null,
        content_type: 'audio/mpeg',
        bytes: 3,
        sha256: SHA256_OF_ABC,
        created_at: T0,
        stored_at: null,
      },
    ]);
  });

  test.each([null, undefined, '', '====', 'no audio!', 'YW=Jj', `${' '.repeat(200_000)}!`])(
    'full_audio %.20j holds no audio, so there is no recording',
    (full_audio) => {
      expect(audioOf(full_audio).recordings).toEqual([]);
    },
  );
});
