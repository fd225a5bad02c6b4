import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, expect } from 'vitest';
import { openConnections } from './support/open-connections.ts';

/** How long a closed connection may take until it is gone, in milliseconds. */
const CLOSING_LIMIT_MS = 10_000;
const POLL_MS = 20;

// A process may run several test files: only the connections that this file has opened count.
const before = openConnections();

// This hook is registered before every hook of the file, so it runs after all of them.
afterAll(async () => {
  const deadline = performance.now() + CLOSING_LIMIT_MS;
  while (leftOpen().length > 0 && performance.now() < deadline) await wait(POLL_MS);
  const left = leftOpen();
  if (left.length > 0) throw new Error(`${expect.getState().testPath} leaves open:\n${left.join('\n')}`);
}, 2 * CLOSING_LIMIT_MS);

function leftOpen(): string[] {
  return [...openConnections()].filter(([handle]) => !before.has(handle)).map(([, what]) => what);
}
