import { expect, it } from 'vitest';
import { howItEnded } from '../../pages/operations/how-it-ended.ts';

it.each([
  ['replay', { done: 3, failed: 0 }, 'good', 'It is done.'],
  ['replay', { done: 2, failed: 1 }, 'warn', 'It went through all, and some of it failed.'],
  ['replay', { done: 0, failed: 3 }, 'bad', 'It went through all, and all of it failed.'],
  // Nothing matched.
  ['replay', { done: 0, failed: 0 }, 'good', 'It is done.'],
  // What the provider does not have any more is no fault of the comparison.
  ['reconcile', { done: 0, failed: 1 }, 'warn', 'It compared all calls. What is missing of one call is not here yet.'],
  [
    'reconcile',
    { done: 9, failed: 2 },
    'warn',
    'It compared all calls. What is missing of some calls is not here yet.',
  ],
])('an operation %s that is done with %j is shown as %s: %s', (kind, counts, tone, says) => {
  expect(howItEnded({ kind, ...counts })).toEqual({ tone, says });
});
