import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { chooseQuietPort } from '../../../test/support/quiet-port.ts';
import { RECEIVER } from '../src/start/apps.ts';
import { askApp } from '../src/start/ask-app.ts';

/** Ports that browsers block, and that `fetch` refuses. */
const BLOCKED = [10_080, 6_566, 5_061, 4_045, 2_049];

async function listenOnOne(server: Server): Promise<number> {
  for (const port of BLOCKED) {
    server.listen(port, '127.0.0.1');
    // oxlint-disable-next-line no-await-in-loop -- the first that is free
    const [error] = await Promise.race([once(server, 'listening'), once(server, 'error').catch((e: unknown) => [e])]);
    if (error === undefined) return port;
  }
  throw new Error(`All of ${BLOCKED.join(', ')} are taken.`);
}

test('asks an app also on a port that browsers block', async () => {
  const server = createServer((_request, response) => void response.writeHead(200).end('{"status":"ready"}'));
  onTestFinished(() => void server.close());
  const port = await listenOnOne(server);
  expect(await askApp(RECEIVER, { PORT: String(port), HOST: '127.0.0.1' })).toMatchObject({ isReady: true });
});

test.each([
  [200, '{"status":"ready"}', true],
  [401, 'Login', false],
  [503, '{"redis":"unavailable"}', false],
])('shows the operator the answer %i %s', async (status, body, isReady) => {
  const server = createServer((_request, response) => void response.writeHead(status).end(body));
  onTestFinished(() => void server.close());
  const port = await chooseQuietPort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const text = `http://127.0.0.1:${port}/health/ready: ${status} ${body}`;
  expect(await askApp(RECEIVER, { PORT: String(port) })).toEqual({ isServing: true, isReady, text });
});

test('shows the first 300 characters of a long answer', async () => {
  const server = createServer((_request, response) => void response.writeHead(503).end('x'.repeat(5_000)));
  onTestFinished(() => void server.close());
  const port = await chooseQuietPort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { text } = await askApp(RECEIVER, { PORT: String(port) });
  expect(text.endsWith(`: 503 ${'x'.repeat(300)}`)).toBe(true);
});

test('takes an answer that is cut off for none, and a port that is no number as well', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half');
    response.destroy();
  });
  onTestFinished(() => void server.close());
  const port = await chooseQuietPort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const text = `http://127.0.0.1:${port}/health/ready: no answer`;
  expect(await askApp(RECEIVER, { PORT: String(port) })).toEqual({ isServing: false, isReady: false, text });
  expect(await askApp(RECEIVER, { PORT: 'many' })).toMatchObject({ isServing: false, isReady: false });
});

test('distinguishes an app that is not ready from an app that does not run', async () => {
  const server = createServer((_request, response) => void response.writeHead(503).end('{"status":"unavailable"}'));
  const port = await chooseQuietPort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const env = { PORT: String(port), HOST: '127.0.0.1' };
  expect(await askApp(RECEIVER, env)).toMatchObject({ isServing: true, isReady: false });
  server.close();
  await once(server, 'close');
  expect(await askApp(RECEIVER, env)).toMatchObject({ isServing: false, isReady: false });
});
