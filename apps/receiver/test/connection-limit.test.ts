import { expect, it } from 'vitest';
import { connectionLimit, largeBodyLimit, openFilesLimit } from '../src/connection-limit.ts';

it.each([
  [4096, 1_048_576, { connections: 4096, descriptors: undefined }],
  [4096, undefined, { connections: 4096, descriptors: undefined }],
  // The receiver keeps some descriptors for Redis, the journal and the log, and one for each large body: of 512, or of half the connections.
  [4096, 1024, { connections: 512, descriptors: 1024 }],
  [4096, 4096, { connections: 3072, descriptors: 4096 }],
  [100, 1024, { connections: 100, descriptors: undefined }],
  [4096, 80, { connections: 10, descriptors: 80 }],
  [4096, 10, { connections: 1, descriptors: 10 }],
])('of %i connections with %s files', (wanted, descriptors, limit) => {
  expect(connectionLimit(wanted, descriptors ?? Infinity)).toEqual(limit);
});

it.each([
  [4096, 512],
  [512, 256],
  [64, 32],
  [1, 1],
])('of %i connections lets them bring %i large bodies at once', (connections, bodies) => {
  expect(largeBodyLimit(connections)).toBe(bodies);
});

it('the number of files that may be open is read from the system', () => {
  expect(openFilesLimit()).toBeGreaterThan(64);
});
