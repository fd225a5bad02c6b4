import { expect, it } from 'vitest';
import { coverOf } from '../../pages/events/replay-call.ts';

type Covered = Parameters<typeof coverOf>[0][number];

function event(id: string, second: number, given: Partial<Covered> = {}): Covered {
  const received_at = new Date(Date.UTC(2026, 0, 31, 12, 0, second)).toISOString();
  return { id, type: 'a', conversation_id: 'c', outcome: 'dead', received_at, ...given };
}

it('covers one event by what it has and by its millisecond', () => {
  expect(coverOf([event('1', 7)], [event('1', 7), event('2', 8)])).toEqual({
    filter: {
      type: 'a',
      conversation: 'c',
      outcome: 'dead',
      since: '2026-01-31T12:00:07.000Z',
      until: '2026-01-31T12:00:07.001Z',
    },
    others: 0,
  });
});

it('keeps the filter of the list, and names only what all events share', () => {
  const chosen = [event('1', 1), event('2', 5, { type: 'b', conversation_id: null })];
  expect(coverOf(chosen, chosen, { text: 'refund', since: '2h' }).filter).toEqual({
    text: 'refund',
    outcome: 'dead',
    since: '2026-01-31T12:00:01.000Z',
    until: '2026-01-31T12:00:05.001Z',
  });
});

it('counts the others that the filter has', () => {
  const listed = [
    event('before', 0),
    event('1', 1),
    event('between', 2),
    event('of another type', 3, { type: 'b' }),
    event('of another conversation', 3, { conversation_id: 'd' }),
    event('applied', 3, { outcome: 'applied' }),
    event('2', 4),
    event('after', 5),
  ];
  expect(coverOf([event('1', 1), event('2', 4)], listed).others).toBe(1);
});
