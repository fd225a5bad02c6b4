import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { portOf } from './port-of.ts';

test('leaves a server open', async () => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  expect(portOf(server)).toBeGreaterThan(0);
});
