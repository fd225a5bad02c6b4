import { expect, it } from 'vitest';
import { connectionLimit, openFilesLimit } from '../src/connection-limit.ts';

it.each([
  [4096, 1_048_576, { connections: 4096, descriptors: undefined }],
  [4096, undefined, { connections: 4096, descriptors: undefined }],
  // The receiver keeps some descriptors for Redis, the journal and the log.
  [4096, 1024, { connections: 768, descriptors: 1024 }],
  [4096, 4096, { connections: 3584, descriptors: 4096 }],
  [100, 1024, { connections: 100, descriptors: undefined }],
  [4096, 80, { connections: 16, descriptors: 80 }],
  [4096, 10, { connections: 1, descriptors: 10 }],
])('of %i connections with %s files', (wanted, descriptors, limit) => {
  expect(connectionLimit(wanted, descriptors ?? Infinity)).toEqual(limit);
});

it('the number of files that may be open is read from the system', () => {
  expect(openFilesLimit()).toBeGreaterThan(64);
});
