import { readFile, stat, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { thisMachine } from '../../src/machine/machine.ts';
import { isRunning } from '../../src/processes/is-running.ts';
import { askRedis } from '../../src/redis/ask-redis.ts';
import { findRedisServer } from '../../src/redis/find-redis-server.ts';
import { startRedis } from '../../src/redis/start-redis.ts';
import { startStranger } from '../support/start-stranger.ts';

async function startIn(dir: string) {
  const redis = await startRedis({ dir, port: 0 });
  onTestFinished(() => redis.stop());
  return redis;
}

test('keeps its data over a stop and a start, and stops twice without a fault', async () => {
  const dir = join(await makeTempFolder(), 'redis');
  const first = await startIn(dir);
  expect(await askRedis(first.url, ['SET call 1'])).toEqual(['+OK', '+OK', '+OK']);
  await first.stop();
  await first.stop();
  expect(isRunning(first.pid)).toBe(false);
  const second = await startIn(dir);
  expect(await askRedis(second.url, ['GET call'])).toContain('1');
});

test('fails where another Redis with the same password has the port', async () => {
  const folder = await makeTempFolder();
  for (const name of ['one', 'other']) {
    // oxlint-disable-next-line no-await-in-loop -- two
    await writeFile(join(folder, `${name}-password`), 'shared', { mode: 0o600 });
  }
  const { port } = new URL((await startIn(join(folder, 'one'))).url);
  const other = startRedis({ dir: join(folder, 'other'), port: Number(port) });
  await expect(other).rejects.toMatchObject({ code: 'redis_failed', message: expect.stringContaining('in use') });
});

test('keeps acknowledged writes when it is killed, and says how it ended', async () => {
  const dir = join(await makeTempFolder(), 'redis');
  const first = await startIn(dir);
  await askRedis(first.url, ['SET call 1']);
  process.kill(first.pid, 'SIGKILL');
  expect(await first.exited).toBe('SIGKILL');
  const second = await startIn(dir);
  expect(await askRedis(second.url, ['GET call'])).toContain('1');
});

test('is durable, never evicts, and serves only this machine and clients with its password', async () => {
  const folder = await makeTempFolder();
  const { url } = await startIn(join(folder, 'redis'));
  const settings = ['appendonly', 'appendfsync', 'maxmemory-policy', 'save', 'bind'];
  const replies = await askRedis(
    url,
    settings.map((name) => `CONFIG GET ${name}`),
  );
  const values = replies.filter((line) => !/^[*$+]/.test(line));
  expect(values).toEqual(settings.flatMap((name, i) => [name, ['yes', 'always', 'noeviction', '', '127.0.0.1'][i]]));
  const stranger = new URL(url);
  stranger.password = '';
  expect((await askRedis(stranger.href, ['GET call']))[0]).toMatch(/^-NOAUTH/);
  expect((await stat(join(folder, 'redis-password'))).mode & 0o777).toBe(0o600);
});

/** Reads the memory limit of a Redis, in bytes. */
async function maxMemoryOf(url: string): Promise<number> {
  return Number((await askRedis(url, ['CONFIG GET maxmemory'])).findLast((line) => /^\d+$/.test(line)));
}

test('may use 40 % of the memory of the machine, and no more', async () => {
  const { url } = await startIn(join(await makeTempFolder(), 'redis'));
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  expect(await maxMemoryOf(url)).toBe(Math.floor(memory * 0.4));
});

test('starts with data that is larger than its limit, takes writes, and has room for more', async () => {
  const dir = join(await makeTempFolder(), 'redis');
  const first = await startIn(dir);
  await askRedis(first.url, [`SETRANGE call ${8 * 1024 * 1024} x`]);
  await first.stop();
  const second = await startRedis({ dir, port: 0, maxMemoryBytes: 4 * 1024 * 1024 });
  onTestFinished(() => second.stop());
  expect(await askRedis(second.url, ['SET other 1'])).toEqual(['+OK', '+OK', '+OK']);
  expect(await maxMemoryOf(second.url)).toBeGreaterThan(12 * 1024 * 1024);
});

test('stops the Redis that a killed run left behind on the same folder', async () => {
  const dir = join(await makeTempFolder(), 'redis');
  const leftOver = await startIn(dir);
  await askRedis(leftOver.url, ['SET call 1']);
  const second = await startIn(dir);
  expect(isRunning(leftOver.pid)).toBe(false);
  expect(await askRedis(second.url, ['GET call'])).toContain('1');
});

test('leaves alone a process of another kind that has the number of an old run', async () => {
  const dir = join(await makeTempFolder(), 'redis');
  const stranger = await startStranger();
  await writeFile(`${dir}.pid`, `${stranger.pid}\n`);
  await startIn(dir);
  expect(stranger.isRunning()).toBe(true);
});

test.runIf(process.platform === 'linux')(
  'gives the server the variables that are named, and none of this process',
  async () => {
    const folder = await makeTempFolder();
    const server = await findRedisServer(thisMachine(process.env['PATH']));
    const script = `#!/bin/sh\ncat /proc/$$/environ >${folder}/seen\nexec ${server} "$@"\n`;
    await writeFile(join(folder, 'redis-server'), script, { mode: 0o755 });
    const options = { dir: join(folder, 'redis'), port: 0, searchPath: folder };
    const redis = await startRedis({ ...options, env: { CLOCK: '/a/file' } });
    onTestFinished(() => redis.stop());
    const seen = (await readFile(join(folder, 'seen'), 'utf8')).split('\0');
    expect(new Set(seen.map((variable) => variable.split('=')[0]))).toEqual(
      new Set(['PATH', 'LC_ALL', 'TZ', 'CLOCK', '']),
    );
    expect(seen).toContain('CLOCK=/a/file');
  },
);

test('keeps the log of the last run beside its own', async () => {
  const dir = join(await makeTempFolder(), 'redis');
  const first = await startIn(dir);
  await first.stop();
  const log = await readFile(`${dir}.log`, 'utf8');
  const second = await startIn(dir);
  expect(await readFile(`${dir}.log.1`, 'utf8')).toBe(log);
  expect(await readFile(`${dir}.log`, 'utf8')).toContain(String(second.pid));
});

test('shows the end of the log when the server refuses to start', async () => {
  const dir = join(await makeTempFolder(), 'redis');
  const starting = startRedis({ dir, port: 0, args: ['--no-such-setting', 'yes'] });
  await expect(starting).rejects.toMatchObject({ code: 'redis_failed', message: expect.stringContaining('no-such') });
});
