import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, inject, onTestFinished, test } from 'vitest';
import { askRedis } from '../../src/redis/ask-redis.ts';

const redisUrl = inject('redisUrl');

/** Starts a stand-in for Redis, which sends `answer` on each connection and closes it. Without `answer` it sends nothing. */
async function startServer(answer: string | undefined): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    if (answer !== undefined) socket.end(answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

test('answers the lines that Redis sends to the password, the commands and QUIT', async () => {
  expect(await askRedis(redisUrl, ['ECHO one', 'PING', 'NONSENSE'])).toEqual([
    '+OK',
    '$3',
    'one',
    '+PONG',
    expect.stringMatching(/^-ERR unknown command/),
    '+OK',
  ]);
});

test('sends no password where the URL has none, and answers the refusal of Redis', async () => {
  const url = new URL(redisUrl);
  url.password = '';
  expect(await askRedis(url.href, ['PING'])).toEqual([expect.stringMatching(/^-NOAUTH/), '+OK']);
  url.password = 'wrong';
  expect((await askRedis(url.href, []))[0]).toMatch(/^-WRONGPASS/);
});

test('answers the lines that came before the connection ended', async () => {
  expect(await askRedis(await startServer('-LOADING it\r\n'), ['PING'])).toEqual(['-LOADING it']);
});

test('rejects where nothing listens, and where Redis sends nothing in time', async () => {
  const unused = 'redis://127.0.0.1:1';
  await expect(askRedis(unused, ['PING'])).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await expect(askRedis(await startServer(undefined), ['PING'], 50)).rejects.toThrow('says nothing for 50 ms');
});
