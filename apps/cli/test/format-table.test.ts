import { expect, test } from 'vitest';
import { formatTable } from '../src/format-table.ts';

test('formats rows as a table', () => {
  const rows = [
    { id: 'conv_1', turns: 12n, title: '予約' },
    { id: 'conv_22', turns: null, title: { a: 1 } },
  ];
  expect(formatTable(rows, 80)).toBe(
    [
      ' id      | turns | title',
      '---------+-------+---------',
      ' conv_1  | 12    | 予約',
      ' conv_22 |       | {"a":1}',
      '(2 rows)',
    ].join('\n'),
  );
});

test('counts a wide character as the two columns that it takes', () => {
  const [first, , second] = formatTable([{ 予約: 'a', b: 1 }], 80).split('\n');
  expect(first).toBe(' 予約 | b');
  expect(second).toBe(' a    | 1');
});

test('shows each row as a block where a table would not fit, and then nothing is cut', () => {
  const long = 'x'.repeat(100);
  expect(formatTable([{ id: 1, text: long, at: new Date(0) }], 40)).toBe(
    ['--- 1 ---', 'id   | 1', `text | ${long}`, 'at   | 1970-01-01T00:00:00.000Z', '(1 row)'].join('\n'),
  );
});

test('shows control characters instead of sending them to the terminal', () => {
  const text = formatTable([{ said: 'a\u001b[2Jb\nc\u202ed', body: new Uint8Array([0, 255]) }], 80);
  expect(text).toContain('a\\u001b[2Jb\\nc\\u202ed');
  expect(text).toContain('\\x00ff');
});

test('says that there are no rows', () => {
  expect(formatTable([], 80)).toBe('(0 rows)');
});
