import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { chooseQuietPort } from '../../../../test/support/quiet-port.ts';
import { choosePort } from '../../src/machine/choose-port.ts';

/** Listens on a port of 127.0.0.1 until the test ends. */
async function listenOn(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
}

test('answers the preferred port while it is free, and another one while it is taken', async () => {
  // None that the system may give to a connection meanwhile.
  const preferred = await chooseQuietPort();
  expect(await choosePort(preferred)).toBe(preferred);
  await listenOn(preferred);
  const other = await choosePort(preferred);
  expect(other).not.toBe(preferred);
  await listenOn(other);
});

test('answers a free port for 0', async () => {
  const port = await choosePort(0);
  expect(port).toBeGreaterThan(0);
  await listenOn(port);
});
