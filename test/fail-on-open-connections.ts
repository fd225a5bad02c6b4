import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, expect } from 'vitest';
import { openConnections } from './support/open-connections.ts';

/** How long closed connections may take to go, in milliseconds. */
const CLOSING_LIMIT_MS = 3_000;
const LOOK_MS = 20;

// A process may run several files: only connections that this file has opened count.
const before = openConnections();

// vitest runs this hook last, because it is registered before any hook of the file.
afterAll(async () => {
  const deadline = performance.now() + CLOSING_LIMIT_MS;
  while (leftOpen().length > 0 && performance.now() < deadline) await wait(LOOK_MS);
  const left = leftOpen();
  if (left.length > 0) throw new Error(`${expect.getState().testPath} leaves open:\n${left.join('\n')}`);
});

function leftOpen(): string[] {
  return [...openConnections()].filter(([handle]) => !before.has(handle)).map(([, what]) => what);
}
