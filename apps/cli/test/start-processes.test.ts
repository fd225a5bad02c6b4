import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning } from '@landline/local-servers';
import { expect, inject, test, vi } from 'vitest';
import { runSql } from '../../../test/support/run-sql.ts';
import { withRedis } from '../../../test/support/with-redis.ts';
import { readServices } from '../src/start/services-file.ts';
import { exists, freePorts, givenServers, makeRoot, NAMES, noteOf, spawnStart, startIn } from './support/a-landline.ts';

const LIMIT = { timeout: 20_000, interval: 20 };

const hasStarted = (root: string, app: string) => vi.waitUntil(() => exists(join(root, `${app}.json`)), LIMIT);

/** The process numbers of the apps that have started in a folder. */
async function startedApps(root: string): Promise<number[]> {
  const pids = await Promise.all(NAMES.map(async (app) => (await noteOf(root, app).catch(() => undefined))?.pid));
  return pids.filter((pid) => pid !== undefined);
}

test.each([
  ['SIGINT', 'the receiver starts', 'slow receiver', 'receiver'],
  ['SIGTERM', 'the worker starts', 'slow worker', 'worker'],
  ['SIGHUP', 'everything is up', '', undefined],
] as const)('at %s while %s it stops everything, and the exit code is 0', async (signal, _, faulty, starting) => {
  const root = await makeRoot({ faulty });
  const npm = await spawnStart(root, { ...(await freePorts()), ...(await givenServers()) });
  if (starting === undefined) await npm.until(() => npm.output().includes('Landline is up.'));
  else await hasStarted(root, starting);
  // npm passes a Ctrl-C of the terminal on a second time.
  npm.kill(signal);
  npm.kill(signal);
  expect(await npm.exited).toEqual([0, null]);
  expect(npm.output()).toMatch(/Stopping …\nStopped\. The data is in \.data for the next start\.\n$/);
  expect((await startedApps(root)).filter(isRunning)).toEqual([]);
  expect(await exists(join(root, '.data', 'services.json'))).toBe(false);
});

test('a second npm start in the same folder is refused, and the first one runs on', async () => {
  const root = await makeRoot();
  const env = { ...(await freePorts()), ...(await givenServers()) };
  const first = await spawnStart(root, env);
  await first.until(() => first.output().includes('Landline is up.'));
  const second = await spawnStart(root, { ...env, ...(await freePorts()) });
  expect(await second.exited).toEqual([1, null]);
  expect(second.output()).toBe(`Landline runs here already (process ${first.pid}). Stop it first: Ctrl-C there.\n`);
  // The commands still find the servers of the first one.
  expect(await readServices(root)).toMatchObject({ pid: first.pid, redisUrl: env.REDIS_URL });
  expect((await startedApps(root)).filter(isRunning)).toHaveLength(4);
  expect(await first.stop()).toEqual([0, null]);
});

test('after a kill the next npm start waits for the ports that the old apps still hold', async () => {
  const root = await makeRoot({ faulty: 'lingering receiver' });
  const env = { ...(await freePorts()), ...(await givenServers()) };
  const killed = await spawnStart(root, env);
  await killed.until(() => killed.output().includes('Landline is up.'));
  const old = await noteOf(root, 'receiver');
  killed.kill('SIGKILL');
  // `exited` would wait for the old receiver, which holds the output open.
  await vi.waitUntil(() => !killed.isRunning(), LIMIT);
  const next = await spawnStart(root, env);
  await next.until(async () => (await readServices(root))?.pid === next.pid);
  expect(isRunning(old.pid)).toBe(true);
  await writeFile(join(root, 'released'), '');
  await next.until(() => next.output().includes('Landline is up.'));
  expect((await noteOf(root, 'receiver')).pid).not.toBe(old.pid);
  expect(await next.stop()).toEqual([0, null]);
});

test('starts although an old services.json names a process that is no npm start of this folder', async () => {
  const root = await makeRoot();
  await mkdir(join(root, '.data'));
  await writeFile(join(root, '.data', 'services.json'), `{"pid":${process.pid},"redisUrl":"redis://old"}`);
  const running = await spawnStart(root, { ...(await freePorts()), ...(await givenServers()) });
  await running.until(() => running.output().includes('Landline is up.'));
  expect((await readServices(root))?.pid).toBe(running.pid);
  expect(await running.stop()).toEqual([0, null]);
});

test.each([
  ['.data is a file', (root: string) => writeFile(join(root, '.data'), '')],
  [
    'services.json is a folder',
    (root: string) => mkdir(join(root, '.data', 'services.json', 'x'), { recursive: true }),
  ],
])('starts nothing where %s, and says that the folder cannot be written', async (_, damage) => {
  const root = await makeRoot();
  await damage(root);
  const running = startIn(root, { ...(await freePorts()), ...(await givenServers()) });
  await expect(running.code).rejects.toMatchObject({
    code: 'configuration_invalid',
    message: expect.stringMatching(/^Cannot write to .*\.data\. Start Landline as the user who started it first/),
  });
  expect(await startedApps(root)).toEqual([]);
});

test('runs on where the servers cannot be noted, and says which commands will not find them', async () => {
  const root = await makeRoot();
  // The receiver starts after the folder was claimed and before the servers are noted.
  const main = join(root, 'apps', 'receiver', 'dist', 'main.js');
  await rename(main, join(root, 'apps', 'receiver', 'dist', 'stand-in.js'));
  const block = `import { mkdirSync } from 'node:fs'; mkdirSync('.data/services.json.new');`;
  await writeFile(main, `${block} await import('./stand-in.js');`);
  const running = startIn(root, { ...(await freePorts()), ...(await givenServers()) });
  await running.up();
  expect(running.printed).toContainEqual(
    expect.stringMatching(/^The commands sql and migrate will not find this database: .+ Free the disk of \.data/),
  );
  expect(running.summary()).not.toContain('Not up');
  expect(await running.stop()).toBe(0);
});

test('starts a Redis of its own again that dies, on its port and with its data', async () => {
  const root = await makeRoot();
  const running = startIn(root, { ...(await freePorts()), DATABASE_URL: (await givenServers()).DATABASE_URL });
  await running.up();
  const { redisUrl = '' } = (await readServices(root)) ?? {};
  await withRedis(redisUrl, (redis) => redis.set('call', '1'));
  const pidFile = join(root, '.data', 'redis.pid');
  const pid = Number(await readFile(pidFile, 'utf8'));
  process.kill(pid, 'SIGKILL');
  await running.prints('Redis ended (SIGKILL). Starting it again in 1 s.');
  const isBack = () => withRedis(redisUrl, async (redis) => (await redis.get('call')) === '1').catch(() => false);
  await vi.waitUntil(isBack, LIMIT);
  expect(await running.stop()).toBe(0);
  expect(isRunning(pid)).toBe(false);
  expect(await exists(pidFile)).toBe(false);
});

test('starts a Postgres of its own again that dies, on its port and with its rows', async () => {
  const root = await makeRoot();
  const running = startIn(root, { ...(await freePorts()), REDIS_URL: inject('redisUrl') });
  await running.up();
  const { databaseUrl = '', directUrl = '' } = (await readServices(root)) ?? {};
  await runSql(directUrl, 'CREATE TABLE calls AS SELECT 1 AS id');
  await runSql(directUrl, 'GRANT SELECT ON calls TO landline_worker');
  process.kill(
    Number((await readFile(join(root, '.data', 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]),
    'SIGKILL',
  );
  await running.prints('Postgres ended (SIGKILL). Starting it again in 1 s.');
  const isBack = () =>
    runSql(databaseUrl, 'SELECT id FROM calls').then(
      (rows) => rows.length === 1,
      () => false,
    );
  await vi.waitUntil(isBack, LIMIT);
  expect(await running.stop()).toBe(0);
  expect(await exists(join(root, '.data', 'postgres', 'postmaster.pid'))).toBe(false);
});
