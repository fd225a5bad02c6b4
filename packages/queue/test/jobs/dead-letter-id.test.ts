import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { deadEventId, deadLetterId } from '../../src/jobs/dead-letter-id.ts';

it('leads from an event to its dead letter and back', () => {
  const id = randomUUID();
  expect(deadLetterId(id)).toBe(`dead-${id}`);
  expect(deadEventId(`dead-${id}`)).toBe(id);
});

it.each(['', '17', 'repeat:dead-1', 'Dead-1'])('knows no event of the job %j', (jobId) => {
  expect(deadEventId(jobId)).toBeUndefined();
});
