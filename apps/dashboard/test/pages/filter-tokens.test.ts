import { describe, expect, it } from 'vitest';
import { readTyped, suggestionsFor, tokenText } from '../../pages/parts/filter-tokens.ts';

const WORDS = [
  { name: 'type', label: 'Type', values: ['conversation.started', 'conversation.ended'] },
  { name: 'outcome', label: 'Outcome', values: ['applied', 'dead'] },
  { name: 'user', label: 'User' },
];

describe('what is typed', () => {
  it.each([
    ['type:conversation.started', [{ name: 'type', value: 'conversation.started' }], ''],
    ['user:"Ada L" refund please', [{ name: 'user', value: 'Ada L' }], 'refund please'],
    ['https://example.com', [], 'https://example.com'],
    ['nothing:here', [], 'nothing:here'],
    ['"type:dead"', [], 'type:dead'],
    ['type:', [], 'type:'],
    ['مرحبا بكم', [], 'مرحبا بكم'],
  ])('%s is read', (typed, tokens, text) => {
    expect(readTyped(typed, WORDS)).toEqual({ tokens, text });
  });

  it('reads back a token that is printed', () => {
    const token = { name: 'user', value: 'two words' };
    expect(readTyped(tokenText(token), WORDS).tokens).toEqual([token]);
  });
});

describe('suggestions', () => {
  it('are all words where nothing is typed, and those that begin so', () => {
    expect(suggestionsFor('', WORDS)).toHaveLength(3);
    expect(suggestionsFor('refund ou', WORDS)).toEqual([
      { insert: 'refund outcome:', label: 'Outcome', isWhole: false },
    ]);
  });

  it('are values that hold what is typed of them', () => {
    expect(suggestionsFor('type:end', WORDS)).toEqual([
      { insert: 'type:conversation.ended', label: 'type:conversation.ended', isWhole: true },
    ]);
    expect(suggestionsFor('refund dea', WORDS)).toEqual([
      { insert: 'refund outcome:dead', label: 'outcome:dead', isWhole: true },
    ]);
    expect(suggestionsFor('user:x', WORDS)).toEqual([]);
  });
});
