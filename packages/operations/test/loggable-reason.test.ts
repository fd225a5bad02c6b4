import { ProviderError } from '@landline/provider';
import { StoreError } from '@landline/store';
import { expect, test } from 'vitest';
import { OperationFailedError } from '../src/errors.ts';
import { loggableReason } from '../src/loggable-reason.ts';

const refused = new ProviderError('forbidden', 'The API key lacks the permission convai_read.');
const lost = new StoreError('value "+12025550147" is out of range', { faultClass: 'data', code: '22003' });
const made = (message: string, cause?: unknown) => new OperationFailedError(message, { cause });

test.each([
  [made('The filter cannot be read.'), 'The filter cannot be read.'],
  [refused, 'The API key lacks the permission convai_read.'],
  [made(`${refused.message} Fetched 2 transcripts.`, refused), `${refused.message} Fetched 2 transcripts.`],
  // What these say may quote an event.
  [lost, 'Postgres: data, 22003'],
  [made(`${lost.message} Fetched 2 transcripts.`, lost), 'Postgres: data, 22003'],
  [Object.assign(new Error('no such file: call of Amina.mp3'), { code: 'ENOENT' }), 'Error: ENOENT'],
  [new TypeError('Amina is not a function'), 'TypeError'],
  ['Amina', 'no reason is known'],
])('of %s a log has: %s', (error, reason) => {
  expect(loggableReason(error)).toBe(reason);
});
