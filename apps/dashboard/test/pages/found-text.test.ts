import { expect, it } from 'vitest';
import { piecesOf } from '../../pages/conversations/found-text.ts';

it('marks each place that has the text, whatever its case', () => {
  expect(piecesOf('Hello, HELLO there', 'hello')).toEqual([
    { text: 'Hello', isFound: true },
    { text: ', ', isFound: false },
    { text: 'HELLO', isFound: true },
    { text: ' there', isFound: false },
  ]);
});

it('takes the text for what it is, and not for a pattern', () => {
  expect(piecesOf('a.*b-c/[d] a.b', '.*b-c/[d]')).toEqual([
    { text: 'a', isFound: false },
    { text: '.*b-c/[d]', isFound: true },
    { text: ' a.b', isFound: false },
  ]);
});

it('leaves a text whole that has nothing of it', () => {
  expect(piecesOf('مرحبا', 'أهلا')).toEqual([{ text: 'مرحبا', isFound: false }]);
});
