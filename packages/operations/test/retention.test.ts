import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { cutoffsOf, policyWords, readPolicyWords } from '../src/retention/policy.ts';
import { readPolicy, retentionVariables } from '../src/retention/variables.ts';

const schema = z.object(retentionVariables);
const read = (env: Record<string, string>) => {
  const parsed = schema.safeParse(env);
  return parsed.success ? readPolicy(parsed.data) : parsed.error.issues.map(({ message }) => message).join();
};

describe('the variables', () => {
  test('keep bodies for 90 days, ids for 400, refused requests for 14, and the rest for ever', () => {
    expect(read({})).toEqual({
      bodies: 90,
      events: 400,
      rejected: 14,
      conversations: undefined,
      recordings: undefined,
    });
  });

  test('say all five', () => {
    const env = {
      BODY_RETENTION_DAYS: '7',
      LEDGER_RETENTION_DAYS: '30',
      REJECTED_RETENTION_DAYS: '1',
      CONVERSATION_RETENTION_DAYS: '2',
      RECORDING_RETENTION_DAYS: '3',
    };
    expect(read(env)).toEqual({ bodies: 7, events: 30, rejected: 1, conversations: 2, recordings: 3 });
  });

  test.each([
    [{ BODY_RETENTION_DAYS: '6' }, 'BODY_RETENTION_DAYS must be a whole number of days from 7 to 36500'],
    [{ BODY_RETENTION_DAYS: '7.5' }, 'BODY_RETENTION_DAYS must be'],
    [{ BODY_RETENTION_DAYS: '-90' }, 'BODY_RETENTION_DAYS must be'],
    [{ LEDGER_RETENTION_DAYS: '29' }, 'LEDGER_RETENTION_DAYS must be a whole number of days from 30 to 36500'],
    [{ REJECTED_RETENTION_DAYS: '0' }, 'REJECTED_RETENTION_DAYS must be a whole number of days from 1 to 36500'],
    [{ CONVERSATION_RETENTION_DAYS: '0' }, 'CONVERSATION_RETENTION_DAYS must be'],
    [{ RECORDING_RETENTION_DAYS: 'never' }, 'RECORDING_RETENTION_DAYS must be'],
    [{ BODY_RETENTION_DAYS: '401' }, 'LEDGER_RETENTION_DAYS (400) must be at least BODY_RETENTION_DAYS (401)'],
  ])('%j is refused', (env, message) => {
    expect(read(env)).toContain(message);
  });
});

test('bodies and ids go by whole days in UTC, the rest by the millisecond', () => {
  const now = Date.UTC(2026, 2, 31, 13, 14, 15, 16);
  const policy = { bodies: 30, events: 59, rejected: 1, conversations: 2 };
  expect(cutoffsOf(policy, now)).toEqual({
    now,
    bodies: Date.UTC(2026, 2, 1),
    events: Date.UTC(2026, 0, 31),
    rejected: Date.UTC(2026, 2, 30, 13, 14, 15, 16),
    conversations: Date.UTC(2026, 2, 29, 13, 14, 15, 16),
    recordings: null,
  });
});

test.each([
  { bodies: 90, events: 400, rejected: 14 },
  { bodies: 7, events: 30, rejected: 1, conversations: 2, recordings: 36_500 },
])('%j is the same policy after it was written in words', (policy) => {
  expect(readPolicyWords(JSON.parse(JSON.stringify(policyWords(policy)))).data).toEqual({
    conversations: undefined,
    recordings: undefined,
    ...policy,
  });
});

test.each([{}, { body_days: '90' }, { ...policyWords({ bodies: 9, events: 40, rejected: 1 }), colour: 'red' }, 'all'])(
  'the words %j are no policy',
  (words) => {
    expect(readPolicyWords(words).success).toBe(false);
  },
);
