import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/api/contract/operations.ts';
import { readEveryMs } from '../../pages/operations/progress.ts';
import { confirmText, isSomething, mayFocus, newId, startCall } from '../../pages/parts/plan-call.ts';
import { causeWords } from '../../pages/rejected/causes.ts';
import { requestHref } from '../../pages/rejected/request-href.ts';

const ID = '22222222-2222-4222-8222-222222222222';
const PLAN: Plan = {
  kind: 'replay',
  total: 1_234,
  is_whole: true,
  text: '',
  parts: [],
  filter: { since: '2026-01-01T00:00:00.000Z' },
};

describe('what a plan starts', () => {
  it('has an id of its own, which is sent with it', () => {
    expect(newId()).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(newId()).not.toBe(newId());
    expect(startCall({ kind: 'replay', filter: { since: '1h' } }, PLAN, ID)).toEqual({
      kind: 'replay',
      id: ID,
      filter: { since: '2026-01-01T00:00:00.000Z' },
    });
    expect(startCall({ kind: 'reconcile', filter: { since: '7d' } }, PLAN, ID)).toMatchObject({ filter: PLAN.filter });
    expect(startCall({ kind: 'erase', by: 'user', value: 'x' }, PLAN, ID)).toEqual({
      kind: 'erase',
      id: ID,
      by: 'user',
      value: 'x',
    });
  });

  it.each([
    [PLAN, true, 'Replay 1,234'],
    [{ ...PLAN, is_whole: false }, true, 'Replay at least 1,234'],
    [{ ...PLAN, total: 0, is_whole: false }, true, 'Replay all that match'],
    [{ ...PLAN, total: 0 }, false, 'Replay'],
    // Nobody knows before how many calls the provider lists.
    [{ ...PLAN, kind: 'reconcile', total: 7, is_whole: false }, true, 'Replay'],
    [{ ...PLAN, kind: 'reconcile', total: 0, is_whole: false }, true, 'Replay'],
    [{ ...PLAN, kind: 'fetch-conversation', total: 1 }, true, 'Replay'],
  ])('can be started where there is something, or may be: %#', (plan, is, text) => {
    expect([isSomething(plan), confirmText('Replay', plan)]).toEqual([is, text]);
  });

  it('has the focus where no key was pressed before it was shown, and never where nobody can take it back', () => {
    expect([mayFocus('replay', false), mayFocus('replay', true), mayFocus('erase', false)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

it('an operation is read each second while it goes on, and more rarely where it is not there', () => {
  expect([readEveryMs({ status: 'asked' }, undefined), readEveryMs({ status: 'done' }, undefined)]).toEqual([1_000, 0]);
  expect([readEveryMs(undefined, undefined), readEveryMs(undefined, 0), readEveryMs(undefined, 10_000)]).toEqual([
    1_000, 1_000, 5_000,
  ]);
});

it('a refused request is opened in another tab with the filter of the list', () => {
  expect(requestHref('?cause=stale&request=old', 'new')).toBe('/rejected?cause=stale&request=new');
});

it('there is no readmission of what no secret makes good', () => {
  expect(['body_cut', 'no_v0', 'another_secret'].map((cause) => causeWords(cause).canReadmit)).toEqual([
    false,
    false,
    true,
  ]);
});
