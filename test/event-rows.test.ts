import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LEDGER } from './support/ledger.ts';
import { startPipe, type Pipe } from './support/pipe.ts';
import { post } from './support/post.ts';
import { TABLE_NAMES } from './support/tables.ts';

const FIXTURES = new URL('../packages/webhook/test/fixtures/', import.meta.url);
/** The folder of the provider's own samples, which only some machines have. */
const SAMPLES = new URL('../../shared/samples/', import.meta.url);

const ID = 'conv_7401k9n2x8fae5vbq3t6m0cgdr4h';
const AGENT = 'agent_3101k1e6xrv2f4eb0xz6nbbrz035';

let pipe: Pipe;
beforeAll(async () => {
  pipe = await startPipe();
  await pipe.startWorker();
});
beforeEach(async () => void (await pipe.sql(`TRUNCATE ${TABLE_NAMES.join(', ')}`)));
afterAll(() => pipe.stop());

/** Sends signed bodies one after the other, and waits until the worker has applied them. */
async function deliver(...bodies: string[]): Promise<void> {
  for (const body of bodies) expect(await post(pipe.receiver.url, body)).toMatchObject({ status: 200 });
  expect(await pipe.untilIdle()).toMatchObject({ dead: 0 });
}

function fixture(name: string): string {
  return readFileSync(new URL(`${name}.json`, FIXTURES), 'utf8');
}

async function only(query: string): Promise<Record<string, unknown> | undefined> {
  const rows = await pipe.sql(query);
  expect(rows).toHaveLength(1);
  return rows[0];
}

function at(iso: string): Date {
  return new Date(iso);
}

describe('each type gives its rows', () => {
  test('conversation.started', async () => {
    await deliver(fixture('conversation-started.nested'));
    expect(await only('SELECT * FROM conversations')).toMatchObject({
      id: ID,
      agent_id: AGENT,
      user_id: 'user_layla',
      status: 'in_progress',
      channel: 'phone',
      direction: 'inbound',
      external_number: '+201005550101',
      agent_number: '+12015550100',
      call_sid: 'CA00000000000000000000000000000001',
      language: 'ar',
      dialect: 'eg',
      started_at: at('2025-10-09T08:53:20Z'),
      ended_at: null,
      metadata: { campaign: 'autumn', carrier: 'Example Mobile', region: 'cairo' },
      created_at: at('2025-10-09T08:53:20Z'),
      updated_at: at('2025-10-09T08:53:20Z'),
    });
    expect(await only('SELECT * FROM user_profiles')).toMatchObject({
      user_id: 'user_layla',
      language: 'ar',
      dialect: 'eg',
      personality: { tone: 'warm', pace: 'slow' },
      attributes: { first_name: 'Layla', loyalty_tier: 'gold' },
      phone_number: '+201005550101',
      first_seen_at: at('2025-10-09T08:53:20Z'),
      last_seen_at: at('2025-10-09T08:53:20Z'),
    });
    const { body, ...event } = (await only(`SELECT * FROM ${LEDGER}`)) ?? {};
    expect(event).toMatchObject({
      event_key: 'evt_01hstart',
      type: 'conversation.started',
      conversation_id: ID,
      event_at: at('2025-10-09T08:53:20Z'),
      origin: 'webhook',
      outcome: 'applied',
      error: null,
    });
    expect(String(body)).toBe(fixture('conversation-started.nested'));
  });

  test('conversation.message', async () => {
    await deliver(fixture('conversation-message.nested'));
    expect(await only('SELECT * FROM conversation_messages')).toMatchObject({
      conversation_id: ID,
      source: 'live',
      position: null,
      role: 'user',
      content: 'عايزة أغيّر ميعاد الحجز من فضلك',
      language: 'ar',
      time_in_call_seconds: 4,
      interrupted: false,
      details: { dialect: 'eg', confidence: 0.94, source_medium: 'audio' },
      created_at: at('2025-10-09T08:53:24Z'),
    });
    expect(await only('SELECT * FROM conversations')).toMatchObject({
      id: ID,
      agent_id: AGENT,
      status: 'in_progress',
      started_at: at('2025-10-09T08:53:24Z'),
    });
  });

  test('conversation.ended', async () => {
    await deliver(fixture('conversation-ended.nested'));
    expect(await only('SELECT * FROM conversations')).toMatchObject({
      status: 'ended',
      ended_at: at('2025-10-09T08:55:25Z'),
      duration_seconds: 125.4,
      end_reason: 'Client ended the call',
      summary: 'Layla moved her booking to Thursday.',
      metadata: { message_count: 14 },
    });
  });

  test('agent.tool_call: a call and its result in events of their own are one row', async () => {
    await deliver(fixture('agent-tool-call.result'), fixture('agent-tool-call.call'));
    expect(await only('SELECT * FROM agent_tool_calls')).toMatchObject({
      conversation_id: ID,
      source: 'live',
      request_id: 'tc_find_booking_1',
      tool_name: 'find_booking',
      tool_type: 'webhook',
      parameters: { reference: 'QX7', customer_id: 9_007_199_254_740_991 },
      result: { status: 'found', booking_id: '12345678901234567890' },
      is_error: false,
      latency_seconds: 1.85,
      created_at: at('2025-10-09T08:53:30Z'),
    });
  });

  test('agent.action', async () => {
    await deliver(fixture('agent-action.nested'));
    expect(await only('SELECT * FROM user_commands')).toMatchObject({
      conversation_id: ID,
      action_id: 'act_1',
      user_id: 'user_layla',
      command: 'reschedule_booking',
      parameters: { day: 'thursday', seats: 2 },
      status: 'requested',
      created_at: at('2025-10-09T08:53:40Z'),
    });
  });

  test('post_call_transcription: 40 turns are 40 messages, and its tool calls have their results', async () => {
    await deliver(fixture('post-call-transcription'));
    expect(await only('SELECT * FROM conversations')).toMatchObject({
      id: ID,
      agent_id: AGENT,
      user_id: 'user_layla',
      status: 'done',
      channel: 'phone',
      direction: 'inbound',
      agent_number: '+12015550100',
      started_at: at('2025-10-09T08:53:20Z'),
      ended_at: at('2025-10-09T08:55:21Z'),
      duration_seconds: 121,
      end_reason: 'end_call tool was called.',
      call_successful: 'success',
      cost_credits: 296,
      analysis: expect.objectContaining({ call_successful: 'success' }),
      metadata: expect.objectContaining({ agent_name: 'Harbour Bookings', new_field_of_next_year: { kept: true } }),
    });
    const messages = await pipe.sql('SELECT * FROM conversation_messages ORDER BY position');
    expect(messages.map(({ position }) => position)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(messages[0]).toMatchObject({
      source: 'transcript',
      role: 'agent',
      content: 'Hello, this is Harbour Bookings. How can I help you?',
      time_in_call_seconds: 0,
      interrupted: false,
      created_at: at('2025-10-09T08:53:20Z'),
    });
    expect(messages[1]).toMatchObject({ role: 'user', created_at: at('2025-10-09T08:53:23Z') });
    const calls = await pipe.sql('SELECT * FROM agent_tool_calls ORDER BY created_at');
    expect(calls).toHaveLength(7);
    expect(calls.filter(({ parameters, result }) => parameters !== null && result !== null)).toHaveLength(6);
  });

  test('post_call_transcription_otel', async () => {
    await deliver(fixture('post-call-transcription-otel'));
    expect(await only('SELECT * FROM conversations')).toMatchObject({
      id: ID,
      agent_id: AGENT,
      status: 'done',
      started_at: at('2025-10-09T08:53:20.750Z'),
      metadata: { otel: { span_count: 3 } },
    });
  });

  test('call_initiation_failure', async () => {
    await deliver(fixture('call-initiation-failure.sip'));
    expect(await only('SELECT * FROM conversations')).toMatchObject({
      id: ID,
      agent_id: AGENT,
      status: 'failed',
      channel: 'phone',
      direction: 'outbound',
      external_number: '01632960001',
      agent_number: '+12015550100',
      call_sid: 'd8e7f6a5-b4c3-4d5e-8f9a-000000000000',
      failure_reason: 'busy',
      metadata: { call_initiation_failure: expect.objectContaining({ type: 'sip', sip_status_code: 486 }) },
    });
  });

  test('post_call_audio', async () => {
    await deliver(fixture('post-call-audio'));
    expect(await only('SELECT * FROM conversations')).toMatchObject({
      id: ID,
      agent_id: AGENT,
      status: 'ended',
      metadata: { recording: { available: true, format: 'mp3', size_bytes: 35 } },
    });
  });

  test('a type we do not know is recorded, and ignored', async () => {
    await deliver('{"type": "voice_removal_notice", "event_timestamp": 1760000000, "data": {"voice_id": "v"}}');
    expect(await only('SELECT type, outcome FROM webhook_events')).toEqual({
      type: 'voice_removal_notice',
      outcome: 'ignored',
    });
    expect(await pipe.sql('SELECT * FROM conversations')).toEqual([]);
  });
});

test('a whole call, live and then in full: the transcript outranks the live events', async () => {
  const live = [
    'conversation-started.nested',
    'conversation-message.nested',
    'agent-tool-call.call',
    'agent-action.nested',
  ];
  const names = [...live, 'conversation-ended.nested', 'post-call-transcription', 'post-call-audio'];
  await deliver(...names.map(fixture));
  const [sources] = await pipe.sql(
    `SELECT (SELECT array_agg(DISTINCT source) FROM conversation_messages) AS messages,
            (SELECT array_agg(DISTINCT source) FROM agent_tool_calls) AS calls,
            (SELECT count(*)::int FROM user_commands) AS commands`,
  );
  expect(sources).toEqual({ messages: ['transcript'], calls: ['transcript'], commands: 1 });
  expect(await only('SELECT status, summary IS NOT NULL AS summed_up FROM conversations')).toEqual({
    status: 'done',
    summed_up: true,
  });
});

/** The conversation that each of the provider's samples must give. */
const EXPECTED: Record<string, Record<string, unknown>> = {
  'post-call-transcription': {
    id: 'abc',
    agent_id: 'xyz',
    user_id: 'user123',
    status: 'done',
    duration_seconds: 22,
    cost_credits: 296,
    call_successful: 'success',
  },
  'post-call-transcription-otel': {
    id: 'conv_9001k1zph3fkeh5s8xg9z90swaqa',
    agent_id: 'agent_7101k5zvyjhmfg983brhmhkd98n6',
    status: 'done',
    started_at: at('2023-11-14T22:13:20Z'),
  },
  'post-call-audio': {
    id: 'conv_6601k9mywx20fxcbpyv2wtff3zph',
    agent_id: 'agent_5001k9myfdmae9ntkrhxfr5b4tqy',
    status: 'ended',
  },
  'call-initiation-failure.twilio': {
    id: 'abc',
    status: 'failed',
    failure_reason: 'busy',
    external_number: '+441111111111',
    agent_number: '+11111111111',
    call_sid: 'CA8367245817625617832576245724',
  },
  'call-initiation-failure.sip': {
    id: 'abc',
    status: 'failed',
    failure_reason: 'busy',
    external_number: '+11111111111',
    agent_number: '+441111111111',
  },
  'call-initiation-failure.sip-without-numbers': {
    id: 'abc',
    status: 'failed',
    failure_reason: 'busy',
    external_number: null,
    agent_number: null,
  },
};

// Without the samples the fixtures above show the same. The test's name says which of the two ran.
const samples = Object.keys(EXPECTED).filter((name) => existsSync(new URL(`${name}.json`, SAMPLES)));

test(`the provider's samples give their rows (${samples.length} of ${Object.keys(EXPECTED).length} are on this machine)`, async () => {
  for (const name of samples) {
    await pipe.sql(`TRUNCATE ${TABLE_NAMES.join(', ')}`);
    await deliver(readFileSync(new URL(`${name}.json`, SAMPLES), 'utf8'));
    expect(await only('SELECT * FROM conversations')).toMatchObject(EXPECTED[name] ?? {});
  }
  expect(await pipe.counts()).toMatchObject({ events: 0, dead: 0 });
});
