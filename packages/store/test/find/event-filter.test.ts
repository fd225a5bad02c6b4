import { describe, expect, test } from 'vitest';
import { eventFilterSchema, filterWords } from '../../src/find/event-filter.ts';
import { readTime } from '../../src/find/read-time.ts';

const NOW = Date.UTC(2026, 10, 29, 12);
const read = (words: Record<string, string>) => eventFilterSchema(NOW).safeParse(words);

test('all words are read, times become milliseconds and numbers their one form', () => {
  const words = {
    type: 'conversation.message',
    outcome: 'dead',
    origin: 'webhook',
    conversation: 'conv_1',
    agent: 'agent_1',
    user: 'user 1',
    number: '+1 (202) 555-0123',
    since: '2h',
    until: '2026-11-29T11:00:00+00:00',
    text: 'مرحبا "x"',
    error: 'body_not_json',
    fingerprint: '80d9c2e77fc4',
  };
  expect(read(words)).toEqual({
    success: true,
    data: { ...words, number: '+12025550123', since: Date.UTC(2026, 10, 29, 10), until: Date.UTC(2026, 10, 29, 11) },
  });
});

test('a filter that is kept reads alike on another day', () => {
  const filter = eventFilterSchema(NOW).parse({ since: '7d', until: '1h', outcome: 'dead', text: 'x' });
  const kept = filterWords(filter);
  expect(kept).toEqual({
    since: '2026-11-22T12:00:00.000Z',
    until: '2026-11-29T11:00:00.000Z',
    outcome: 'dead',
    text: 'x',
  });
  expect(eventFilterSchema(NOW + 1e9).parse(kept)).toEqual(filter);
});

test.each([
  [{ outcome: 'applyed' }, 'outcome must be one of applied, ignored, dead'],
  [{ origin: 'mars' }, /^origin must be one of webhook, replay, backfill/],
  [{ since: 'yesterday' }, /^since takes a time such as 2026-01-31T14:30:00Z, or a duration such as 30m, 2h or 7d$/],
  [{ until: '2026-13-01' }, /^until takes a time/],
  [{ since: '999999999d' }, /^since takes a time/],
  [{ since: '1h', until: '2h' }, 'until must be later than since'],
  [{ type: '' }, 'type must be a text of 1 to 256 characters'],
  [{ conversation: 'x'.repeat(257) }, 'conversation must be a text of 1 to 256 characters'],
  [{ text: 'a\0b' }, 'text has characters that no event has'],
  [{ user: '\ud800' }, 'user has characters that no event has'],
  [{ error: 'x', outcome: 'applied' }, 'error is of dead events alone: leave outcome out, or make it dead'],
  [{ fingerprint: '80D9C2E77FC4' }, 'fingerprint takes the 12 characters 0-9 and a-f of a group of failures'],
  [
    { fingerprint: '80d9c2e77fc4', outcome: 'ignored' },
    'fingerprint is of dead events alone: leave outcome out, or make it dead',
  ],
  [{ colour: 'red' }, /colour/],
])('%j is refused: %s', (words, message) => {
  const { error } = eventFilterSchema(NOW).safeParse(words);
  expect(error?.issues.map((issue) => issue.message)).toEqual([expect.stringMatching(message)]);
});

describe('a time', () => {
  test.each([
    ['30s', NOW - 30_000],
    ['30m', NOW - 1_800_000],
    ['2h', NOW - 7_200_000],
    ['7d', NOW - 604_800_000],
    ['2026-11-29', Date.UTC(2026, 10, 29)],
    ['2026-11-29T10:15Z', Date.UTC(2026, 10, 29, 10, 15)],
    ['2026-11-29 10:15:30.25+02:00', Date.UTC(2026, 10, 29, 8, 15, 30, 250)],
    ['now', undefined],
    ['2', undefined],
    ['2026-02-30T00:00:00Z', undefined],
    ['', undefined],
  ])('%s', (text, at) => {
    expect(readTime(text, NOW)).toBe(at);
  });
});
