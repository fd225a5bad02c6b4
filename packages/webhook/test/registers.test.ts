import { describe, expect, test } from 'vitest';
import type { Register } from '../src/changes.ts';
import { changesOf, values } from './support/deliver.ts';

/** Returns the write that stands of several, by the store's rule. */
function standing<T>(...registers: (Register<T> | undefined)[]): T | undefined {
  const present = registers.filter((register) => register !== undefined);
  expect(new Set(present.map((register) => register.clock)).size).toBe(present.length);
  return present.toSorted((a, b) => (a.clock < b.clock ? 1 : -1))[0]?.value;
}

const T0 = 1_760_000_000;
const event = (type: string, at: number, data: object = {}) =>
  changesOf({ type, event_timestamp: at, data: { conversation_id: 'c', user_id: 'u', ...data } });
const detection = (language: string, seconds: number) => ({
  role: 'agent',
  time_in_call_secs: seconds,
  tool_calls: [{ tool_name: 'language_detection', params_as_json: JSON.stringify({ language }) }],
  tool_results: [{ tool_name: 'language_detection', result_value: '{"status": "success"}', is_error: false }],
});

describe('started_at', () => {
  const message = event('conversation.message', T0 - 60).conversation.fields.started_at;
  const late = event('conversation.ended', T0 + 60).conversation.fields.started_at;
  const started = event('conversation.started', T0 + 5).conversation.fields.started_at;
  const startedAgain = event('conversation.started', T0 + 9).conversation.fields.started_at;
  const audio = event('post_call_audio', T0 - 99).conversation.fields.started_at;
  const transcript = event('post_call_transcription', T0 + 130, { metadata: { start_time_unix_secs: T0 } }).conversation
    .fields.started_at;

  test('is the earliest event time while no event names a start', () => {
    expect(standing(message, late)).toBe((T0 - 60) * 1000);
  });

  test('is the explicit start, the earliest of several, however early other events are', () => {
    expect(standing(message, started, startedAgain, audio)).toBe((T0 + 5) * 1000);
  });

  test("is the transcript's where there is one", () => {
    expect(standing(message, started, transcript, audio)).toBe(T0 * 1000);
  });
});

const status = (type: string, at: number, data?: object) => event(type, at, data).conversation.fields.status;

const failure = (at: number) => status('call_initiation_failure', at);
const account = (at: number, said?: string) => status('post_call_transcription', at, { status: said });

describe('status', () => {
  test('only rises during the call, regardless of time', () => {
    expect(standing(status('conversation.ended', T0), status('conversation.started', T0 + 100))).toBe('ended');
    expect(standing(status('post_call_transcription', T0), status('conversation.ended', T0 + 100))).toBe('done');
    expect(
      standing(status('conversation.ended', T0), status('post_call_transcription', T0 + 9, { status: 'processing' })),
    ).toBe('processing');
  });

  test('is that of the later account of the finished call', () => {
    expect(standing(failure(T0), account(T0 + 9, 'done'))).toBe('done');
    expect(standing(account(T0, 'done'), failure(T0 + 9))).toBe('failed');
    expect(standing(account(T0, 'failed'), account(T0 + 60, 'done'), status('conversation.ended', T0 + 99))).toBe(
      'done',
    );
  });

  test('is not decided by what only implies that the call is done', () => {
    expect(standing(account(T0, 'failed'), account(T0 + 9))).toBe('failed');
    expect(standing(account(T0, 'failed'), status('post_call_transcription_otel', T0 + 9))).toBe('failed');
    expect(standing(account(T0, 'failed'), account(T0 + 9, 'processing'))).toBe('failed');
    expect(standing(status('conversation.ended', T0), account(T0 + 9))).toBe('done');
  });
});

describe('the language of a conversation', () => {
  const start = event('conversation.started', T0, { language: 'en' });
  const spoken = event('conversation.message', T0 + 20, { role: 'user', language: 'ar-EG' });
  const agent = event('conversation.message', T0 + 30, { role: 'agent', language: 'fr' });
  const configured = event('post_call_transcription', T0 + 130, { metadata: { main_language: 'de' } });
  const detected = event('post_call_transcription', T0 + 131, {
    metadata: { main_language: 'de', start_time_unix_secs: T0 },
    transcript: [detection('ta', 5)],
  });
  const language = (...changes: (typeof start)[]) =>
    standing(...changes.map((one) => one.conversation.fields.language));

  test('is the last one heard live', () => {
    expect(language(start, spoken, agent)).toBe('ar');
    expect(values(spoken.conversation.dialects)).toEqual({ ar: 'eg' });
  });

  test('a configured one gives way to what was heard', () => {
    expect(language(configured)).toBe('de');
    expect(language(start, spoken, configured)).toBe('ar');
  });

  test('a detected one outranks what was heard live', () => {
    expect(language(start, spoken, detected)).toBe('ta');
  });

  test('has a dialect of its own, which a telling of the language alone leaves as it is', () => {
    expect(start.conversation.dialects.size).toBe(0);
    expect(spoken.conversation.dialects.get('ar')).toEqual({
      value: 'eg',
      clock: spoken.conversation.fields.language?.clock,
    });
    const arabic = event('conversation.message', T0 + 25, { role: 'user', language: 'ar' });
    expect(arabic.conversation.fields.language?.value).toBe('ar');
    expect(arabic.conversation.dialects.size).toBe(0);
  });
});

describe('a profile, which outlives its calls', () => {
  const YEAR = 365 * 86_400;
  const lastYear = event('post_call_transcription', T0 - YEAR, {
    conversation_id: 'old',
    metadata: {
      start_time_unix_secs: T0 - YEAR - 60,
      phone_call: { direction: 'inbound', external_number: '+441632960001' },
    },
    transcript: [detection('ta', 5)],
  });
  const today = event('conversation.started', T0, {
    language: 'ar-EG',
    caller_number: '+201005550101',
    user_profile: { name: 'Layla' },
  });
  const configured = event('post_call_transcription', T0 + 130, { metadata: { main_language: 'de' } });

  test("holds what was heard last, though an older call's final account says otherwise", () => {
    expect(standing(lastYear.profile?.fields.language, today.profile?.fields.language)).toBe('ar');
    expect(standing(lastYear.profile?.fields.phone_number, today.profile?.fields.phone_number)).toBe('+201005550101');
  });

  test('does not take what was only configured for what was heard', () => {
    expect(standing(lastYear.profile?.fields.language, configured.profile?.fields.language)).toBe('ta');
  });

  test('keeps each attribute as a register of its own', () => {
    const later = event('conversation.message', T0 + 5, { user_profile: { name: 'Laila', tier: 'gold' } });

    expect(standing(today.profile?.attributes.get('name'), later.profile?.attributes.get('name'))).toBe('Laila');
    expect(later.profile?.attributes.get('tier')?.value).toBe('gold');
  });
});

const turns = (message: string) => ({ transcript: [{ role: 'user', message }] });

describe('of two transcripts', () => {
  test('the later one stands, and its turns bear its clock', () => {
    const first = event('post_call_transcription', T0 + 130, turns('draft'));
    const second = event('post_call_transcription', T0 + 900, turns('corrected'));

    expect((second.conversation.transcript ?? '') > (first.conversation.transcript ?? '')).toBe(true);
    expect(second.messages[0]?.clock).toBe(second.conversation.transcript);
    expect(first.messages[0]?.event_key).toBe(second.messages[0]?.event_key);
  });
});

describe('two events at the same time', () => {
  test('write different clocks, so that either order gives one outcome', () => {
    const one = event('conversation.ended', T0, { reason: 'one' });
    const two = event('conversation.ended', T0, { reason: 'two' });

    const outcome = standing(one.conversation.fields.end_reason, two.conversation.fields.end_reason);
    expect(outcome).toBe(standing(two.conversation.fields.end_reason, one.conversation.fields.end_reason));
  });
});
