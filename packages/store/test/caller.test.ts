import { describe, expect, test } from 'vitest';
import { describeCaller } from '../src/read/caller.ts';
import type { FoundCaller } from '../src/read/found-caller.ts';

type Profile = FoundCaller['profiles'][number];
type Call = FoundCaller['recent'][number];

/** A clock of a live event, so many seconds after the others. */
const live = (seconds: number) => `02${String(seconds).padStart(12, '0')}${'0'.repeat(18)}`;
const final = (seconds: number) => live(seconds).replace('02', '03');
/** As Postgres prints it. */
const uuid = (clock: string) => clock.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const profile = (more: Partial<Profile>): Profile => ({
  language: null,
  dialect: null,
  dialects: {},
  language_clock: null,
  personality: null,
  personality_clock: null,
  attributes: {},
  attributes_clocks: {},
  ...more,
});
const call = (id: string, more: Partial<Call> = {}): Call => ({
  id,
  call_sid: null,
  language: null,
  dialect: null,
  dialects: {},
  language_clock: null,
  facts: [],
  ...more,
});
const found = (more: Partial<FoundCaller>): FoundCaller => ({
  profiles: [],
  calls: [],
  summaries: [],
  recent: [],
  ...more,
});

const NOBODY = {};

test('nobody is known without a profile and without an earlier call', () => {
  expect(describeCaller(found({}), NOBODY)).toBeUndefined();
  const ringing = found({
    calls: [['c', 'CA', 1_767_603_600]],
    recent: [call('c', { call_sid: 'CA', language: 'ar' })],
  });
  expect(describeCaller(ringing, { conversationId: 'c' })).toBeUndefined();
  expect(describeCaller(ringing, { callSid: 'CA' })).toBeUndefined();
  expect(describeCaller(ringing, {})).toMatchObject({
    calls: 1,
    language: 'ar',
    lastCallAt: new Date('2026-01-05T09:00:00Z'),
  });
});

test('a profile that the ringing call has made makes nobody known, unless it says something', () => {
  const calls: FoundCaller['calls'] = [['c', 'CA', 1_767_603_600]];
  expect(describeCaller(found({ calls, profiles: [profile({})] }), { callSid: 'CA' })).toBeUndefined();
  expect(
    describeCaller(found({ calls, profiles: [profile({ attributes: { name: 'Mona' } })] }), { callSid: 'CA' }),
  ).toMatchObject({
    calls: 0,
  });
  expect(describeCaller(found({ profiles: [profile({})] }), { callSid: 'CA' })).toMatchObject({ calls: 0 });
});

test('the call that is ringing counts for nothing: neither its number, nor its summary, nor its start', () => {
  const calls: FoundCaller['calls'] = [
    ['new', 'CA_2', 1_767_700_000],
    ['old', null, 1_767_603_600],
  ];
  const summaries: FoundCaller['summaries'] = [
    ['new', 'CA_2', 'so far'],
    ['old', null, 'before'],
  ];
  for (const ringing of [{ conversationId: 'new' }, { callSid: 'CA_2' }]) {
    expect(describeCaller(found({ calls, summaries }), ringing)).toMatchObject({
      calls: 1,
      lastSummary: 'before',
      lastCallAt: new Date('2026-01-05T09:00:00Z'),
    });
  }
});

test('1,000 calls count at most, without the one that is ringing', () => {
  const calls = Array.from({ length: 1_001 }, (_, i): FoundCaller['calls'][number] => [`c${i}`, null, 1]);
  expect(describeCaller(found({ calls }), { conversationId: 'c0' })?.calls).toBe(1_000);
  expect(describeCaller(found({ calls }), {})?.calls).toBe(1_000);
  expect(describeCaller(found({ calls: calls.slice(0, 1_000) }), { conversationId: 'c0' })?.calls).toBe(999);
});

test('a start that is no time is none', () => {
  expect(describeCaller(found({ calls: [['c', null, null]] }), NOBODY)).toMatchObject({ calls: 1, lastCallAt: null });
  expect(describeCaller(found({ calls: [['c', null, 1e15]] }), NOBODY)).toMatchObject({ calls: 1, lastCallAt: null });
});

describe('of two profiles', () => {
  const number = profile({ language: 'en', personality: 'calm', attributes: { city: 'Leeds', tier: 'gold' } });
  const user = profile({
    language: 'ar',
    dialect: 'eg',
    dialects: { ar: 'eg', en: 'uk' },
    attributes: { city: 'Cairo' },
  });

  test('that which was seen last comes first, and the other fills in what it lacks', () => {
    const caller = describeCaller(found({ profiles: [user, number] }), NOBODY);
    expect(caller).toMatchObject({ language: 'ar', dialect: 'eg', personality: 'calm', calls: 0, lastCallAt: null });
    expect(Object.fromEntries(caller?.attributes ?? [])).toEqual({ city: 'Cairo', tier: 'gold' });
  });

  test('the dialect is that of the language that stands, whoever told it', () => {
    expect(describeCaller(found({ profiles: [number, user] }), NOBODY)).toMatchObject({
      language: 'en',
      dialect: 'uk',
    });
    const bare = profile({ language: 'fr' });
    expect(describeCaller(found({ profiles: [bare, user] }), NOBODY)).toMatchObject({ language: 'fr', dialect: null });
  });

  test('a dialect of a worker before `dialects` is that of its language alone', () => {
    const old = profile({ language: 'ar', dialect: 'sa' });
    expect(describeCaller(found({ profiles: [old] }), NOBODY)).toMatchObject({ language: 'ar', dialect: 'sa' });
    expect(describeCaller(found({ profiles: [profile({ language: 'en' }), old] }), NOBODY)).toMatchObject({
      language: 'en',
      dialect: null,
    });
  });
});

describe('what was told in a call that named nobody', () => {
  const known = profile({
    language: 'en',
    language_clock: uuid(live(5)),
    personality: 'calm',
    personality_clock: uuid(live(5)),
    attributes: { city: 'Leeds' },
    attributes_clocks: { city: live(5) },
  });
  const saidAt = (seconds: number) =>
    call('c', {
      language: 'ar',
      dialects: { ar: 'eg' },
      language_clock: uuid(final(seconds)),
      facts: [
        ['personality', { tone: 'warm' }, live(seconds)],
        ['user_profile.city', 'Cairo', live(seconds)],
        ['user_profile', { tier: 'gold' }, live(seconds)],
      ],
    });
  const callerOf = (row: Call) =>
    describeCaller(found({ profiles: [known], calls: [['c', null, 1]], recent: [row] }), NOBODY);

  test('counts where it is later than the profile', () => {
    const caller = callerOf(saidAt(6));
    expect(caller).toMatchObject({ language: 'ar', dialect: 'eg', personality: { tone: 'warm' } });
    expect(Object.fromEntries(caller?.attributes ?? [])).toEqual({ city: 'Cairo', tier: 'gold' });
  });

  test('fills in the profile where it is earlier, whoever told it', () => {
    const caller = callerOf(saidAt(4));
    expect(caller).toMatchObject({ language: 'en', dialect: null, personality: 'calm' });
    expect(Object.fromEntries(caller?.attributes ?? [])).toEqual({ city: 'Leeds', tier: 'gold' });
  });

  test('may name the language in the user_profile, which is no attribute then', () => {
    const row = call('c', {
      facts: [
        ['user_profile.language', 'ar_EG', live(6)],
        ['user_profile.name', 'Layla', live(6)],
      ],
    });
    const caller = callerOf(row);
    expect(caller).toMatchObject({ language: 'ar', dialect: 'eg' });
    expect(Object.fromEntries(caller?.attributes ?? [])).toEqual({ city: 'Leeds', name: 'Layla' });
  });
});
