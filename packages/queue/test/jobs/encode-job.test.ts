import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeJob } from '../../src/jobs/encode-job.ts';
import type { Delivery } from '@landline/webhook';

const events = fc.array(
  fc.record({
    receivedAt: fc.nat(),
    signedAt: fc.nat(),
    secretId: fc.string(),
    encoding: fc.constantFrom('utf8' as const, 'base64' as const),
    // Every unit of UTF-16, halves of a surrogate pair among them.
    body: fc.string({ unit: 'binary', maxLength: 300 }).map((text) => `${text}\ud83d${text}\u0000"\\`),
  }),
  { minLength: 1, maxLength: 5 },
);

test('is what JSON.stringify says, in UTF-8', () => {
  fc.assert(
    fc.property(events, (made: Delivery[]) => {
      const job = { v: 1 as const, later: 'a field that this version does not know', events: made };
      expect(encodeJob(job).toString('utf8')).toBe(JSON.stringify(job));
    }),
  );
});
