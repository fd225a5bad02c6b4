import { expect, it } from 'vitest';
import { changedQuery } from '../../pages/route/changed-query.ts';

it('keeps the other words of the query', () => {
  expect(changedQuery('?outcome=dead&event=1', { event: '2' })).toBe('?outcome=dead&event=2');
  expect(changedQuery('', { event: '2' })).toBe('?event=2');
});

it('takes a word out', () => {
  expect(changedQuery('?outcome=dead&event=1', { event: undefined })).toBe('?outcome=dead');
  expect(changedQuery('?event=1', { event: '' })).toBe('');
});
