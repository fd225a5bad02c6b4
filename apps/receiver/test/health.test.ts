import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { spawnApp, startApp, type AppProcess } from '../../../test/support/app-process.ts';
import { SECRET, send } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';

let redis: PrivateRedis;
let receiver: AppProcess;
beforeAll(async () => {
  redis = await startPrivateRedis();
  receiver = await startApp('receiver', { env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: redis.url } });
});
afterAll(async () => {
  await receiver.stop();
  await redis.remove();
});

const ask = (origin: string, path: string) => send(origin, { method: 'GET', path });

it('the public port answers whether the receiver is live and ready, and nothing else', async () => {
  expect(await ask(receiver.url, '/health/live')).toMatchObject({ status: 200, body: '{"status":"live"}' });
  const ready = { status: 200, body: '{"status":"ready"}' };
  await expect.poll(() => ask(receiver.url, '/health/ready'), { timeout: 20_000 }).toMatchObject(ready);
  for (const path of ['/metrics', '/metrics/', '/%6Detrics', '/health', '/health/ready/details']) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect([path, (await ask(receiver.url, path)).status]).toEqual([path, 404]);
  }
});

it('the port for health has the details and the metrics, and takes no webhooks', async () => {
  expect(await ask(receiver.healthUrl, '/health/live')).toMatchObject({ status: 200, body: '{"status":"live"}' });
  const ready = await ask(receiver.healthUrl, '/health/ready');
  expect([ready.status, JSON.parse(ready.body)]).toEqual([
    200,
    { status: 'ready', redis: 'ready', journal: 'off', spool: 'ready' },
  ]);
  const { status, headers, body } = await ask(receiver.healthUrl, '/metrics');
  expect([status, headers['content-type']]).toEqual([200, expect.stringMatching(/^text\/plain; version=0\.0\.4/)]);
  expect(body).toContain('# TYPE landline_events_accepted_total counter');
  expect(body).toContain('process_resident_memory_bytes');
  expect(await send(receiver.healthUrl)).toMatchObject({ status: 404 });
});

it('readiness is 503 on both ports while neither Redis nor a journal takes events; the details say why', async () => {
  await redis.stop();
  await expect.poll(async () => (await ask(receiver.url, '/health/ready')).status, { timeout: 20_000 }).toBe(503);
  expect((await ask(receiver.url, '/health/ready')).body).toBe('{"status":"unavailable"}');
  const ready = await ask(receiver.healthUrl, '/health/ready');
  expect([ready.status, JSON.parse(ready.body)]).toEqual([
    503,
    { status: 'unavailable', redis: 'away', journal: 'off', spool: 'ready' },
  ]);
  await redis.restart();
});

it('a second receiver on the same health port does not start, and names the variable', async () => {
  const { port } = new URL(receiver.healthUrl);
  const second = await spawnApp('receiver', {
    env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: redis.url, HEALTH_PORT: port },
  });
  onTestFinished(() => second.kill('SIGKILL'));
  expect(await second.exited).toEqual([1, null]);
  expect(second.output()).toMatch(/EADDRINUSE.*HEALTH_PORT/);
});
