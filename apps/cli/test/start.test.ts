import { createServer } from 'node:http';
import { once } from 'node:events';
import { access, copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { migrate } from '@landline/store';
import { createDatabase } from '../../../test/support/database.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { choosePort } from '../src/services/choose-port.ts';
import { isRunning } from '../src/services/is-running.ts';
import { startPostgres } from '../src/services/postgres.ts';
import { readServices } from '../src/start/services-file.ts';
import { start } from '../src/start/start.ts';

// Stands for an app: answers as a ready one does, and notes what it was given and when it was stopped.
const APP = `
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
const name = process.argv[1].split('/').at(-3);
const [portVariable, status] = { receiver: ['PORT', 200], worker: ['WORKER_PORT', 200], dashboard: ['DASHBOARD_PORT', 401] }[name];
writeFileSync(name + '.json', JSON.stringify({ pid: process.pid, env: process.env, options: process.execArgv }));
if (readFileSync('faulty', 'utf8') === name) process.exit(3);
createServer((_, response) => response.writeHead(status).end()).listen(process.env[portVariable], '127.0.0.1');
process.once('SIGTERM', () => {
  appendFileSync('stopped', name + ' ');
  process.exit(0);
});
process.once('disconnect', () => process.exit(0));
`;

async function makeRoot({ faulty = '' } = {}): Promise<string> {
  const root = await makeTempFolder();
  for (const name of ['receiver', 'worker', 'dashboard']) {
    await mkdir(join(root, 'apps', name, 'dist'), { recursive: true });
    await writeFile(join(root, 'apps', name, 'dist', 'main.js'), APP);
  }
  await writeFile(join(root, 'package.json'), '{ "type": "module" }');
  await writeFile(join(root, 'faulty'), faulty);
  await copyFile(new URL('../../../.env.example', import.meta.url), join(root, '.env.example'));
  return root;
}

async function freePorts(): Promise<Record<string, string>> {
  const names = ['PORT', 'HEALTH_PORT', 'WORKER_PORT', 'DASHBOARD_PORT'];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, String(await choosePort(0))])));
}

async function givenServers(): Promise<Record<string, string>> {
  const database = await createDatabase(inject('databaseUrl'));
  onTestFinished(() => database.drop());
  return { DATABASE_URL: database.url, REDIS_URL: inject('redisUrl') };
}

function startIn(root: string, env: Record<string, string | undefined>) {
  const printed: string[] = [];
  const stopping = new AbortController();
  const context = { root, env: { PATH: process.env['PATH'], ...env }, width: 80 };
  const code = start({ ...context, print: (line) => printed.push(line) }, stopping.signal);
  const stop = () => {
    stopping.abort();
    return code;
  };
  onTestFinished(async () => {
    await stop().catch(() => {}); // what a test expects of it, it has seen
  });
  const up = () =>
    Promise.race([vi.waitUntil(() => printed.join().includes('Landline is up'), { timeout: 25_000 }), code]);
  return { printed, code, stop, up };
}

async function noteOf(
  root: string,
  app: string,
): Promise<{ pid: number; env: Record<string, string>; options: string[] }> {
  return JSON.parse(await readFile(join(root, `${app}.json`), 'utf8'));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

test('runs everything on servers of its own, and stops the way of the data from its mouth', async () => {
  const root = await makeRoot();
  const ports = await freePorts();
  const running = startIn(root, { ...ports, HOST: '0.0.0.0', SHELL_SECRET: 'mine' });
  await running.up();

  const [receiver, worker, dashboard] = await Promise.all(
    ['receiver', 'worker', 'dashboard'].map((app) => noteOf(root, app)),
  );
  expect(receiver?.env).not.toHaveProperty('DATABASE_URL');
  expect(receiver?.env).not.toHaveProperty('DASHBOARD_PASSWORD');
  expect(receiver?.env).toMatchObject({ HOST: '0.0.0.0', PORT: ports['PORT'], REDIS_URL: expect.any(String) });
  // Nobody waits for a balancer that is not there.
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
  for (const { env } of [receiver, worker, dashboard].flatMap((note) => note ?? [])) {
    expect(JSON.stringify(env)).not.toMatch(/landline_owner|postgresql:\/\/landline:/);
  }
  expect(dashboard?.env).toMatchObject({ HOST: '127.0.0.1', DASHBOARD_PASSWORD: expect.any(String) });
  for (const note of [receiver, worker, dashboard]) expect(note?.env).not.toHaveProperty('SHELL_SECRET');
  expect([receiver, worker, dashboard].map((note) => note?.options)).toEqual([[], ['--max-semi-space-size=64'], []]);
  expect((await stat(join(root, '.data', 'services.json'))).mode & 0o777).toBe(0o600);
  const text = running.printed.join('\n');
  expect(text).toContain(`http://127.0.0.1:${ports['PORT']}/api/elevenlabs/webhook`);
  expect(text).not.toContain(dashboard?.env['DASHBOARD_PASSWORD']);

  expect(await running.stop()).toBe(0);
  expect(await readFile(join(root, 'stopped'), 'utf8')).toMatch(/^receiver (worker dashboard|dashboard worker) $/);
  for (const note of [receiver, worker, dashboard]) expect(isRunning(note?.pid ?? 0)).toBe(false);
  expect(await exists(join(root, '.data', 'postgres', 'postmaster.pid'))).toBe(false);
  expect(await exists(join(root, '.data', 'redis.pid'))).toBe(false);
  expect(await exists(join(root, '.data', 'services.json'))).toBe(false);
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
  const running = startIn(root, { ...(await freePorts()), ...files, DASHBOARD_PASSWORD_FILE: password });
  await running.up();
  expect((await noteOf(root, 'worker')).env).toMatchObject(given);
  const dashboard = await noteOf(root, 'dashboard');
  expect(dashboard.env).toMatchObject({ DASHBOARD_PASSWORD_FILE: password });
  for (const name of ['DASHBOARD_PASSWORD', 'DATABASE_URL', 'DATABASE_URL_FILE', 'REDIS_URL_FILE']) {
    expect(dashboard.env).not.toHaveProperty(name);
  }
  expect(await running.stop()).toBe(0);
});

test('starts no server where one is given, and an app again that ends', async () => {
  const root = await makeRoot();
  const given = await givenServers();
  const running = startIn(root, { ...(await freePorts()), ...given });
  await running.up();
  const first = await noteOf(root, 'worker');
  expect(first.env).toMatchObject(given);
  expect(await exists(join(root, '.data', 'postgres'))).toBe(false);
  expect(await exists(join(root, '.data', 'redis'))).toBe(false);
  process.kill(first.pid, 'SIGKILL');
  await vi.waitUntil(async () => (await noteOf(root, 'worker')).pid !== first.pid, { timeout: 10_000 });
  expect(running.printed).toContain('The worker ended (SIGKILL). Starting it again in 1 s.');
  expect(await running.stop()).toBe(0);
});

test('stops what runs already when an app does not start, and says which', async () => {
  const root = await makeRoot({ faulty: 'receiver' });
  const running = startIn(root, { ...(await freePorts()), ...(await givenServers()) });
  await expect(running.code).rejects.toMatchObject({
    code: 'app_failed',
    message: 'The receiver ended while starting (code 3). Its own message is above.',
  });
  expect(isRunning((await noteOf(root, 'worker')).pid)).toBe(false);
  expect(isRunning((await noteOf(root, 'dashboard')).pid)).toBe(false);
  expect(await exists(join(root, '.data', 'services.json'))).toBe(false);
});

test.each([
  ['dashboard', 'DASHBOARD_PORT'],
  ['receiver', 'HEALTH_PORT'],
])('names the variable of a port of the %s that is taken before it starts anything', async (app, variable) => {
  const root = await makeRoot();
  const ports = await freePorts();
  const other = createServer().listen(Number(ports[variable]), '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const running = startIn(root, { ...ports, ...(await givenServers()) });
  await expect(running.code).rejects.toMatchObject({
    message: `Port ${ports[variable]} of the ${app} is taken: stop what uses it, or set ${variable} in .env.`,
  });
  expect(await exists(join(root, 'worker.json'))).toBe(false);
});

test('stops in the middle of starting when it is asked to', async () => {
  const root = await makeRoot();
  const running = startIn(root, { ...(await freePorts()), ...(await givenServers()) });
  await vi.waitUntil(() => exists(join(root, 'worker.json')), { timeout: 10_000 });
  expect(await running.stop()).toBe(0);
  expect(isRunning((await noteOf(root, 'worker')).pid)).toBe(false);
  expect(running.printed.join()).not.toContain('Landline is up');
});
