import { expect, test } from 'vitest';
import { describePasted } from '../src/pasted.ts';

test.each(['hunter2', 'a "quoted" word', '"hunter2', "hunter2'", '"', ''])('finds no fault in %j', (value) => {
  expect(describePasted('TOKEN', value)).toBeUndefined();
});

test.each(['"hunter2"', "'hunter2'", '„hunter2“', '«hunter2»', '`hunter2`', '""'])(
  'names the marks around %j',
  (value) => {
    expect(describePasted('TOKEN', value)).toBe(
      'TOKEN has quotation marks around it, and they count as part of it: docker --env-file keeps them. Take them away unless you mean them',
    );
  },
);

test.each([
  ['\thunter2', 'U+0009'],
  ['hunter2\u200b', 'U+200B'],
  ['\ufeffhunter2', 'U+FEFF'],
  ['hunter2\u{e0001}', 'U+E0001'],
  [' ', 'U+0020'],
])('names the invisible character at an end of %j', (value, code) => {
  expect(describePasted('TOKEN', value)).toBe(
    `TOKEN begins or ends with a character that cannot be seen (${code}), and it counts as part of it. Take it away unless you mean it`,
  );
});
