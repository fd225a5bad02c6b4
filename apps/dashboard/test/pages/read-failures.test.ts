import { describe, expect, it } from 'vitest';
import { ApiError } from '../../pages/api/client.ts';
import { readFailures, withMarks } from '../../pages/failures/read-failures.ts';
import type { FailureGroupItem } from '../../src/api/contract/failures.ts';

const NOW = Date.UTC(2026, 0, 31, 12);

function group(given: Partial<FailureGroupItem> = {}): FailureGroupItem {
  const at = new Date(NOW - 60_000).toISOString();
  return {
    fingerprint: 'aaaaaaaaaaaa',
    code: 'body_invalid',
    pattern: 'must be …',
    count: 1,
    first_at: at,
    last_at: at,
    example: { id: '00000000-0000-4000-8000-000000000001', message: 'must be 1' },
    types: {},
    hours: [],
    known_at: null,
    known_by: null,
    ...given,
  };
}

describe('an answer about failures', () => {
  it('of 504 has the groups of what was looked at', () => {
    const backTo = '2026-01-30T12:00:00.000Z';
    const error = new ApiError(
      504,
      { code: 'timed_out', message: '' },
      { items: [group()], looked: 7, others: 3, back_to: backTo },
    );
    expect(readFailures(undefined, error)).toEqual({ groups: [group()], others: 3, backTo });
  });

  it('keeps what was read beside a fault', () => {
    const error = new ApiError(503, { code: 'unavailable', message: '' }, {});
    expect(readFailures({ items: [group()], others: 2 }, error)).toEqual({
      groups: [group()],
      others: 2,
      fault: error,
    });
  });
});

describe('a mark', () => {
  const marks = new Map([['aaaaaaaaaaaa', { isKnown: true, at: NOW - 1_000 }]]);

  it('stands until the API says the same', () => {
    expect(withMarks([group()], marks, NOW)[0]?.known_at).toBe('2026-01-31T11:59:59.000Z');
  });

  it('falls when an event has died since', () => {
    const died = group({ last_at: new Date(NOW).toISOString() });
    expect(withMarks([died], marks, NOW)[0]?.known_at).toBeNull();
  });

  it('falls when no worker has carried it out in time', () => {
    expect(withMarks([group()], marks, NOW + 60_000)[0]?.known_at).toBeNull();
  });

  it('can be taken back', () => {
    const known = group({ known_at: new Date(NOW - 9_000).toISOString(), known_by: 'admin' });
    const back = new Map([['aaaaaaaaaaaa', { isKnown: false, at: NOW }]]);
    expect(withMarks([known], back, NOW)[0]?.known_at).toBeNull();
  });
});
