import { FILTER_WORDS } from '@landline/store';
import { expect, test } from 'vitest';
import { FILTER_OPTIONS, readFilter } from '../src/find/read-filter.ts';
import { USAGE } from '../src/usage.ts';

test('every word of a filter is an option, and the help names it', () => {
  expect(Object.keys(FILTER_OPTIONS)).toEqual([...FILTER_WORDS]);
  for (const word of FILTER_WORDS) expect(USAGE).toContain(`--${word}`);
});

test('a group of failures is selected by its fingerprint', () => {
  expect(readFilter({ fingerprint: '80d9c2e77fc4', json: true }, 0)).toEqual({ fingerprint: '80d9c2e77fc4' });
});

test('each option that cannot be meant is named', () => {
  expect(() => readFilter({ fingerprint: 'first', until: 'never' }, 0)).toThrow(
    /^--until takes a time.*\n--fingerprint takes the 12 characters 0-9 and a-f of a group of failures\.$/,
  );
});
