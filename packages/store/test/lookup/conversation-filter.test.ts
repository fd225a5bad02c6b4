import { expect, test } from 'vitest';
import { CONVERSATION_FILTER_WORDS, conversationFilterSchema } from '../../src/lookup/conversation-filter.ts';

const NOW = Date.UTC(2026, 10, 29, 12);
const read = (words: Record<string, unknown>) => conversationFilterSchema(NOW).safeParse(words);

test('all words are read: times become milliseconds, durations numbers, and numbers and languages have their one form', () => {
  const words = {
    conversation: 'conv_1',
    agent: 'agent_1',
    user: 'user 1',
    number: '+1 (202) 555-0123',
    status: 'done',
    language: 'ar-EG',
    channel: 'phone',
    outcome: 'success',
    completeness: 'missing',
    min_duration: '1.5',
    max_duration: '90',
    since: '2h',
    until: '2026-11-29T11:00:00Z',
    text: '50% مرحبا',
  };
  expect(Object.keys(words)).toEqual([...CONVERSATION_FILTER_WORDS]);
  expect(read(words)).toEqual({
    success: true,
    data: {
      ...words,
      number: '+12025550123',
      language: 'ar',
      min_duration: 1.5,
      max_duration: 90,
      since: Date.UTC(2026, 10, 29, 10),
      until: Date.UTC(2026, 10, 29, 11),
    },
  });
});

test.each([
  [{ status: 'over' }, 'status must be one of initiated, in_progress, ended, processing, done, failed'],
  [{ outcome: 'dead' }, 'outcome must be one of success, failure, unknown'],
  [{ completeness: 'lost' }, 'completeness must be one of open, waiting, complete, missing, unfetchable, erased'],
  [{ min_duration: '-1' }, 'min_duration takes a number of seconds, such as 30 or 1.5'],
  [{ max_duration: '0x1f' }, 'max_duration takes a number of seconds, such as 30 or 1.5'],
  [{ max_duration: 30 }, 'max_duration takes a number of seconds, such as 30 or 1.5'],
  [{ min_duration: '2', max_duration: '1' }, 'max_duration must not be less than min_duration'],
  [{ since: 'yesterday' }, /^since takes a time/],
  [{ since: '1h', until: '2h' }, 'until must be later than since'],
  [{ text: '' }, 'text must be a text of 1 to 1000 characters'],
  [{ user: 'a\0b' }, 'user has characters that no event has'],
  [{ colour: 'red' }, /colour/],
])('%j is refused: %s', (words, message) => {
  expect(read(words).error?.issues.map((issue) => issue.message)).toEqual([expect.stringMatching(message)]);
});
