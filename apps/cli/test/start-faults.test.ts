import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, startPostgres } from '@landline/local-servers';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { closeServer } from '../../../test/support/close-server.ts';
import { exampleEvent } from '../../../test/support/example-event.ts';
import { post, SECRET } from '../../../test/support/post.ts';
import { startPrivateRedis } from '../../../test/support/private-redis.ts';
import { chooseQuietPort } from '../../../test/support/quiet-port.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { exists, freePorts, givenServers, makeRoot, noteOf, startIn } from './support/a-landline.ts';

/** Starts a Postgres of the test's own, which can stop and start again on its port. */
async function privatePostgres() {
  const folder = await mkdtemp(join(tmpdir(), 'landline-start-'));
  await chmod(folder, 0o755); // as root, Postgres runs as another user
  const dir = join(folder, 'postgres');
  let server = await startPostgres({ dir, port: await chooseQuietPort() });
  const { url } = server;
  onTestFinished(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    url,
    stop: () => server.stop(),
    restart: async () => void (server = await startPostgres({ dir, port: Number(new URL(url).port) })),
  };
}

/** Sends an event until it is answered 200. */
async function sendOne(ports: Record<string, string>): Promise<void> {
  const body = exampleEvent('conversation.started');
  const answered = () =>
    post(`http://127.0.0.1:${ports['PORT']}`, body).then(
      ({ status }) => status === 200,
      () => false,
    );
  await vi.waitUntil(answered, { timeout: 20_000, interval: 50 });
}

const countEvents = async (url: string) => (await runSql(url, 'SELECT count(*)::int AS events FROM webhook_events'))[0];

test('takes events while a given Redis is away, and applies them when it is back', async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  await redis.stop();
  const root = await makeRoot({ real: ['receiver', 'worker', 'dashboard'] });
  const [ports, { DATABASE_URL }] = await Promise.all([freePorts(), givenServers()]);
  const env = { ...ports, DATABASE_URL, REDIS_URL: redis.url, ELEVENLABS_WEBHOOK_SECRET: SECRET, LOG_LEVEL: 'silent' };
  const running = startIn(root, env);
  await sendOne(ports);
  // `npm start` still waits for the other apps.
  expect(running.printed.join()).not.toContain('Landline is up.');
  await running.up();
  expect(running.printed.join('\n')).toMatch(
    /^Not up, and tried again until it is:\n {2}worker .*"redis":"unavailable"/m,
  );
  await redis.restart();
  await running.prints('The worker is up.');
  await expect.poll(() => countEvents(DATABASE_URL), { timeout: 20_000 }).toEqual({ events: 1 });
  expect(await running.stop()).toBe(0);
});

test('takes events while a given Postgres is away, and makes the tables and applies them when it is back', async () => {
  const postgres = await privatePostgres();
  await postgres.stop();
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const root = await makeRoot({ real: ['receiver', 'worker'] });
  const ports = await freePorts();
  const env = { ...ports, DATABASE_URL: postgres.url, REDIS_URL: redis.url };
  const running = startIn(root, { ...env, ELEVENLABS_WEBHOOK_SECRET: SECRET, LOG_LEVEL: 'silent' });
  await Promise.all([sendOne(ports), running.up()]);
  const text = running.printed.join('\n');
  expect(text).toMatch(
    /^The database is not ready: Postgres at 127\.0\.0\.1:\d+ does not answer .*check DATABASE_URL and DIRECT_URL\. Trying again until it is\.$/m,
  );
  expect(text).toMatch(/^Not up, and tried again until it is:\n {2}worker +It waits for the database: Postgres at /m);
  // The initiation needs no table to answer.
  expect((await noteOf(root, 'initiation')).env).toMatchObject({ DATABASE_URL: postgres.url });
  await postgres.restart();
  await running.prints('The worker is up.');
  await expect.poll(() => countEvents(postgres.url), { timeout: 20_000 }).toEqual({ events: 1 });
  expect(running.printed.join('\n')).toContain('Brought the tables up to date: ');
  const reasons = running.printed.filter((line) => line.startsWith('The database is not ready'));
  expect(new Set(reasons).size).toBe(reasons.length);
  expect(await running.stop()).toBe(0);
});

test('stops while a given Postgres does not answer', async () => {
  const asking = new Set<Socket>();
  const silent = createTcpServer((socket) => void asking.add(socket.on('error', () => undefined)));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => closeServer(silent, () => asking.forEach((socket) => socket.destroy())));
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const asked = once(silent, 'connection');
  const root = await makeRoot();
  const DATABASE_URL = `postgresql://u:p@127.0.0.1:${port}/landline`;
  const running = startIn(root, { ...(await freePorts()), DATABASE_URL, REDIS_URL: inject('redisUrl') });
  await asked;
  expect(await running.stop()).toBe(0);
  // The stop came before the connection timed out.
  expect(running.printed.join()).not.toContain('The database is not ready');
});

/** Answers the exit code of `npm start` in whose folder an app does not start, and then does. */
async function runWithout(app: string): Promise<number> {
  const root = await makeRoot({ faulty: app });
  const running = startIn(root, { ...(await freePorts()), ...(await givenServers()) });
  await running.up();
  expect(running.printed).toContain(
    `The ${app} ended (code 3, while starting; its own message is above). Starting it again in 5 s.`,
  );
  const missing = `Not up, and tried again until it is:\n  ${app.padEnd(12)}It ended (code 3, while starting; its own message is above).\n\n`;
  expect(running.summary()).toContain(missing);
  expect(isRunning((await noteOf(root, 'receiver')).pid)).toBe(true);
  await writeFile(join(root, 'faulty'), '');
  await running.prints(`The ${app} is up.`);
  return running.stop();
}

// Each waits five seconds: they wait together.
test('runs without the worker, the dashboard or the initiation while that app does not start', async () => {
  expect(await Promise.all(['worker', 'dashboard', 'initiation'].map(runWithout))).toEqual([0, 0, 0]);
});

test('runs without the dashboard while its password is too short', async () => {
  const root = await makeRoot({ real: ['dashboard'] });
  const env = { ...(await freePorts()), ...(await givenServers()), DASHBOARD_PASSWORD: 'short' };
  const running = startIn(root, env);
  await running.up();
  expect(running.summary()).toMatch(
    /^ {2}dashboard +It ended \(code 1, while starting; its own message is above\)\.$/m,
  );
  for (const app of ['receiver', 'worker', 'initiation']) {
    expect(isRunning((await noteOf(root, app)).pid)).toBe(true);
  }
  expect(await running.stop()).toBe(0);
});

test('starts although the file of READER_DATABASE_URL cannot be read: the initiation reports the file', async () => {
  const root = await makeRoot();
  const file = join(root, 'missing');
  const running = startIn(root, { ...(await freePorts()), ...(await givenServers()), READER_DATABASE_URL_FILE: file });
  await running.up();
  const { env } = await noteOf(root, 'initiation');
  expect(env).toMatchObject({ READER_DATABASE_URL_FILE: file });
  expect(env).not.toHaveProperty('DATABASE_URL');
  expect(await running.stop()).toBe(0);
});

/** The same where the app's port is taken, and then is free. */
async function runWithoutPort(app: string, variable: string): Promise<number> {
  const root = await makeRoot();
  const ports = await freePorts();
  const other = createServer().listen(Number(ports[variable]), '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const running = startIn(root, { ...ports, ...(await givenServers()) });
  await running.up();
  const why = `Port ${ports[variable]} of the ${app} is taken: stop what uses it, or set ${variable} in .env.`;
  expect(running.printed).toContain(`The ${app} did not start: ${why} Starting it again in 5 s.`);
  expect(running.summary()).toContain(`\n  ${app.padEnd(12)}${why}\n`);
  expect(await exists(join(root, `${app}.json`))).toBe(false);
  other.close();
  await running.prints(`The ${app} is up.`);
  return running.stop();
}

test('runs without the dashboard, the worker or the initiation while its port is taken, and names the variable', async () => {
  const codes = Promise.all([
    runWithoutPort('dashboard', 'DASHBOARD_PORT'),
    runWithoutPort('worker', 'WORKER_PORT'),
    runWithoutPort('initiation', 'INITIATION_PORT'),
  ]);
  expect(await codes).toEqual([0, 0, 0]);
});

test('ends when a Postgres of its own does not start, and leaves nothing running', async () => {
  const root = await makeRoot();
  await mkdir(join(root, '.data'));
  await writeFile(join(root, '.data', 'postgres-roles'), 'in the way of a folder');
  const running = startIn(root, { ...(await freePorts()), REDIS_URL: inject('redisUrl') });
  await expect(running.code).rejects.toThrow('postgres-roles');
  expect(isRunning((await noteOf(root, 'receiver')).pid)).toBe(false);
  expect(await exists(join(root, '.data', 'postgres', 'postmaster.pid'))).toBe(false);
});
