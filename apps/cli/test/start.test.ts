import { createServer } from 'node:http';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, startPostgres } from '@landline/local-servers';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { migrate } from '@landline/store';
import { runSql } from '../../../test/support/run-sql.ts';
import { readServices } from '../src/start/services-file.ts';
import { exists, freePorts, givenServers, makeRoot, NAMES, noteOf, startIn } from './support/a-landline.ts';

test('runs everything on servers of its own, and stops the receiver before the other apps', async () => {
  const root = await makeRoot();
  const ports = await freePorts();
  const running = startIn(root, { ...ports, HOST: '0.0.0.0', SHELL_SECRET: 'mine' });
  await running.up();

  const notes = await Promise.all(NAMES.map((app) => noteOf(root, app)));
  const [receiver, worker, dashboard, initiation] = notes;
  expect(receiver?.env).not.toHaveProperty('DATABASE_URL');
  expect(receiver?.env).not.toHaveProperty('DASHBOARD_PASSWORD');
  expect(receiver?.env).toMatchObject({ HOST: '0.0.0.0', PORT: ports['PORT'], REDIS_URL: expect.any(String) });
  // `npm start` has no load balancer, so the receiver does not drain.
  expect(receiver?.env).toMatchObject({ HEALTH_PORT: ports['HEALTH_PORT'], DRAIN_SECONDS: '0' });
  expect(receiver?.env['ELEVENLABS_WEBHOOK_SECRET']).toMatch(/^wsec_/);
  expect(worker?.env).toMatchObject({ HOST: '127.0.0.1', DATABASE_URL: expect.stringContaining('@127.0.0.1:') });
  const workerUrl = worker?.env['DATABASE_URL'] ?? '';
  expect(await runSql(workerUrl, 'SELECT current_user AS name')).toEqual([{ name: 'landline_worker' }]);
  await expect(runSql(workerUrl, 'CREATE TABLE mine (id int)')).rejects.toMatchObject({ code: '42501' });
  const services = await readServices(root);
  expect(await runSql(services?.readerDatabaseUrl ?? '', 'SELECT current_user AS name')).toEqual([
    { name: 'landline_reader' },
  ]);
  const owners = await runSql(
    services?.directUrl ?? '',
    `SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'`,
  );
  expect(owners).toEqual([{ tableowner: 'landline_owner' }]);
  // ElevenLabs calls the initiation as it calls the receiver. The initiation may only read.
  expect(initiation?.env).toMatchObject({
    HOST: '0.0.0.0',
    INITIATION_PORT: ports['INITIATION_PORT'],
    INITIATION_TOKEN: expect.stringMatching(/^[0-9a-f]{48}$/),
    READER_DATABASE_URL: services?.readerDatabaseUrl,
    REDIS_URL: receiver?.env['REDIS_URL'],
  });
  for (const app of [initiation, dashboard]) expect(app?.env).not.toHaveProperty('DATABASE_URL');
  for (const { env } of notes) {
    expect(JSON.stringify(env)).not.toMatch(/landline_owner|postgresql:\/\/landline:/);
  }
  expect(dashboard?.env).toMatchObject({
    HOST: '127.0.0.1',
    DASHBOARD_PASSWORD: expect.any(String),
    API_TOKEN: expect.stringMatching(/^[0-9a-f]{48}$/),
    READER_DATABASE_URL: services?.readerDatabaseUrl,
    RECORDINGS_URL: receiver?.env['RECORDINGS_URL'],
  });
  for (const { env } of notes) expect(env).not.toHaveProperty('SHELL_SECRET');
  expect(notes.map(({ options }) => options)).toEqual([[], ['--max-semi-space-size=64'], [], []]);
  expect((await stat(join(root, '.data', 'services.json'))).mode & 0o777).toBe(0o600);
  const text = running.printed.join('\n');
  expect(text).toContain(`http://127.0.0.1:${ports['PORT']}/api/elevenlabs/webhook`);
  expect(text).toContain(`http://127.0.0.1:${ports['INITIATION_PORT']}/api/elevenlabs/conversation-initiation`);
  expect(text).not.toContain('Not up');
  expect(text).not.toContain(initiation?.env['INITIATION_TOKEN']);
  expect(text).not.toContain(dashboard?.env['DASHBOARD_PASSWORD']);
  expect(text).not.toContain(dashboard?.env['API_TOKEN']);

  expect(await running.stop()).toBe(0);
  const [first, ...others] = (await readFile(join(root, 'stopped'), 'utf8')).trim().split(' ');
  expect([first, others.toSorted()]).toEqual(['receiver', ['dashboard', 'initiation', 'worker']]);
  for (const { pid } of notes) expect(isRunning(pid)).toBe(false);
  expect(await exists(join(root, '.data', 'postgres', 'postmaster.pid'))).toBe(false);
  expect(await exists(join(root, '.data', 'redis.pid'))).toBe(false);
  expect(await exists(join(root, '.data', 'services.json'))).toBe(false);
  expect(await exists(join(root, 'monitor.json'))).toBe(false);
});

test("takes over a database that an older version made, with its rows, and the worker's password is its own", async () => {
  const root = await makeRoot();
  const old = await startPostgres({ dir: join(root, '.data', 'postgres'), port: 0 });
  await migrate(old.url);
  await runSql(
    old.url,
    `INSERT INTO user_profiles (user_id, first_seen_at, last_seen_at) VALUES ('kept', now(), now())`,
  );
  await old.stop();
  const running = startIn(root, { ...(await freePorts()), REDIS_URL: inject('redisUrl') });
  await running.up();
  const services = await readServices(root);
  const [owner, worker] = [new URL(services?.directUrl ?? ''), new URL(services?.databaseUrl ?? '')];
  expect(await runSql(worker.href, 'SELECT user_id FROM user_profiles')).toEqual([{ user_id: 'kept' }]);
  await runSql(owner.href, 'ALTER TABLE user_profiles ADD COLUMN shoe_size int');
  expect(new Set([owner.password, worker.password, new URL(old.url).password]).size).toBe(3);
  expect(await running.stop()).toBe(0);
});

test('hands the files of secrets on, and takes the addresses of its servers from files', async () => {
  const root = await makeRoot();
  const given = await givenServers();
  const files = Object.fromEntries(Object.keys(given).map((name) => [`${name}_FILE`, join(root, name)]));
  await Promise.all(Object.entries(given).map(([name, value]) => writeFile(join(root, name), `${value}\n`)));
  const password = join(root, 'password');
  await writeFile(password, 'a password of twelve\n');
  const token = join(root, 'token');
  await writeFile(token, 'a token of sixteen and more\n');
  const key = join(root, 'key');
  await writeFile(key, 'a key of the provider\n');
  const ports = await freePorts();
  const running = startIn(root, {
    ...ports,
    ...files,
    DASHBOARD_PASSWORD_FILE: password,
    INITIATION_TOKEN_FILE: token,
    MONITOR: 'on',
    ELEVENLABS_API_KEY_FILE: key,
  });
  await running.up();
  expect((await noteOf(root, 'worker')).env).toMatchObject(given);
  const dashboard = await noteOf(root, 'dashboard');
  expect(dashboard.env).toMatchObject({ ...given, DASHBOARD_PASSWORD_FILE: password });
  const initiation = await noteOf(root, 'initiation');
  expect(initiation.env).toMatchObject({ ...given, INITIATION_TOKEN_FILE: token });
  expect(initiation.env).not.toHaveProperty('INITIATION_TOKEN');
  const monitor = await noteOf(root, 'monitor');
  expect(monitor.env).toMatchObject({
    ELEVENLABS_API_KEY_FILE: key,
    MONITOR: 'on',
    MONITOR_WEBHOOK_URL: `http://127.0.0.1:${ports['PORT']}/api/elevenlabs/webhook`,
    HOST: '127.0.0.1',
  });
  for (const name of ['REDIS_URL', 'DATABASE_URL']) expect(monitor.env).not.toHaveProperty(name);
  for (const name of ['DASHBOARD_PASSWORD', 'DATABASE_URL_FILE', 'REDIS_URL_FILE']) {
    expect(dashboard.env).not.toHaveProperty(name);
  }
  expect(await running.stop()).toBe(0);
});

test('starts no server where the environment names one, and starts an app again that ends', async () => {
  const root = await makeRoot();
  const given = await givenServers();
  const running = startIn(root, { ...(await freePorts()), ...given });
  await running.up();
  const first = await noteOf(root, 'worker');
  expect(first.env).toMatchObject(given);
  expect(await exists(join(root, '.data', 'postgres'))).toBe(false);
  expect(await exists(join(root, '.data', 'redis'))).toBe(false);
  process.kill(first.pid, 'SIGKILL');
  await vi.waitUntil(async () => (await noteOf(root, 'worker')).pid !== first.pid, { timeout: 20_000 });
  expect(running.printed).toContain('The worker ended (SIGKILL). Starting it again in 1 s.');
  await running.prints('The worker is up.');
  expect(await running.stop()).toBe(0);
});

test('gives the initiation only the URL of the reader, where there is such a role', async () => {
  const root = await makeRoot();
  const { DATABASE_URL, REDIS_URL } = await givenServers();
  const reader = 'postgresql://somebody@127.0.0.1/landline';
  const running = startIn(root, { ...(await freePorts()), DATABASE_URL, REDIS_URL, READER_DATABASE_URL: reader });
  await running.up();
  const { env } = await noteOf(root, 'initiation');
  expect(env).toMatchObject({ READER_DATABASE_URL: reader, HOST: '0.0.0.0' });
  expect(env).not.toHaveProperty('DATABASE_URL');
  expect(await running.stop()).toBe(0);
});

test('says that the initiation has no token, where an older .env names none', async () => {
  const root = await makeRoot();
  await writeFile(join(root, '.env'), `ELEVENLABS_WEBHOOK_SECRET=${'5e'.repeat(16)}\n`);
  const running = startIn(root, { ...(await freePorts()), ...(await givenServers()) });
  await running.up();
  expect(running.printed.join('\n')).toContain('answers 401 until INITIATION_TOKEN is set in .env');
  expect(await running.stop()).toBe(0);
});

test('ends when the receiver does not start, says why, and leaves nothing running', async () => {
  const root = await makeRoot({ faulty: 'receiver' });
  const running = startIn(root, { ...(await freePorts()), ...(await givenServers()) });
  await expect(running.code).rejects.toMatchObject({
    code: 'app_failed',
    message: 'The receiver ended while starting (code 3). Its own message is above.',
  });
  for (const app of ['worker', 'dashboard', 'initiation']) expect(await exists(join(root, `${app}.json`))).toBe(false);
  expect(await exists(join(root, '.data', 'services.json'))).toBe(false);
});

test.each(['PORT', 'HEALTH_PORT'])(
  'ends before it starts anything when the %s of the receiver is taken',
  async (variable) => {
    const root = await makeRoot();
    const ports = await freePorts();
    const other = createServer().listen(Number(ports[variable]), '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const running = startIn(root, { ...ports, ...(await givenServers()) });
    await expect(running.code).rejects.toMatchObject({
      message: `Port ${ports[variable]} of the receiver is taken: stop what uses it, or set ${variable} in .env.`,
    });
    for (const app of NAMES) expect(await exists(join(root, `${app}.json`))).toBe(false);
  },
);

test('stops in the middle of starting at a request to stop', async () => {
  const root = await makeRoot({ faulty: 'slow worker' });
  const running = startIn(root, { ...(await freePorts()), ...(await givenServers()) });
  await vi.waitUntil(() => exists(join(root, 'worker.json')), { timeout: 20_000 });
  expect(await running.stop()).toBe(0);
  for (const app of ['receiver', 'worker']) expect(isRunning((await noteOf(root, app)).pid)).toBe(false);
  expect(running.printed.join()).not.toContain('Landline is up');
});
