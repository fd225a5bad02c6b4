import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { portOf } from './port-of.ts';

const server = createServer((_request, response) => response.end());
afterAll(() => server.close());

test('closes its server, its connections and its requests', async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { status } = await fetch(`http://127.0.0.1:${portOf(server)}`);
  expect(status).toBe(200);
  const socket = connect(portOf(server), '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
});
