import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { anIntake } from './support/an-intake.ts';
import { waitUntil } from '../../queue/test/support/wait-until.ts';

/** What a Redis that loads its data answers, by the command's name; as long as it loads, ioredis asks for nothing else. */
const INFO = 'loading:1\r\nloading_eta_seconds:600\r\n';
const ANSWERS: Readonly<Record<string, string>> = {
  hello: '%1\r\n+server\r\n+redis\r\n',
  client: '+OK\r\n',
  info: `$${INFO.length}\r\n${INFO}\r\n`,
};

/** Stands for a Redis that loads its data as long as the test lasts. */
async function startLoadingRedis() {
  const sockets = new Set<Socket>();
  let asked = 0;
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.on('data', (bytes) => {
      for (const [, name = ''] of bytes.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        if (name === 'info') asked += 1;
        socket.write(ANSWERS[name] ?? '-LOADING Redis is loading the dataset in memory\r\n');
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { url: `redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, asked: () => asked };
}

test('starts while Redis loads its data, and goes on asking', async () => {
  const redis = await startLoadingRedis();
  const intake = anIntake({ redisUrl: redis.url });
  await intake.start();
  expect(intake.status()).toBe('away');
  expect(intake.canTake()).toBe(false);
  const before = redis.asked();
  await waitUntil(() => redis.asked() > before);
});
