import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { findRedisServer, startProcess, thisMachine } from '@landline/local-servers';
import { createProducerConnection } from '@landline/queue';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { readCompose, serviceOf } from './support/compose.ts';
import { chooseQuietPort } from './support/quiet-port.ts';
import { makeTempFolder } from './support/temp-folder.ts';

// The test needs no Docker: it runs the command of docker-compose.yml as it stands. The command calls two programs of the image.
// Two scripts replace these: they call this machine's Redis, with a port and a folder of the test.

const { PATH = '' } = process.env;
const MEBIBYTE = 1024 * 1024;

let folder: string;
let port: number;
beforeEach(async () => {
  folder = await makeTempFolder();
  port = await chooseQuietPort();
  const server = await findRedisServer(thisMachine(PATH));
  const cli = server.replace(/-server$/, '-cli');
  await mkdir(join(folder, 'bin'));
  const programs = {
    'docker-entrypoint.sh': `shift; exec ${server} "$@" --port ${port} --bind 127.0.0.1 --dir ${folder}`,
    'redis-cli': `exec ${cli} -p ${port} "$@"`,
  };
  for (const [name, line] of Object.entries(programs)) {
    // oxlint-disable-next-line no-await-in-loop -- two
    await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${line}\n`);
    // oxlint-disable-next-line no-await-in-loop -- two
    await chmod(join(folder, 'bin', name), 0o755);
  }
});

/** Runs the command as on a machine with `memory` of memory. Returns a connection to its Redis; the Redis ends with the test. */
async function start(memoryBytes?: number) {
  const [program = '', ...args] = [serviceOf(readCompose(), 'redis').command].flat();
  const meminfo = join(folder, 'meminfo');
  if (memoryBytes !== undefined) await writeFile(meminfo, `MemTotal:       ${memoryBytes / 1024} kB\nMemFree: 1 kB\n`);
  const replaced = args.map((arg) =>
    arg.replaceAll('$$', '$').replace('/proc/meminfo', memoryBytes === undefined ? '$&' : meminfo),
  );
  const env = { PATH: `${join(folder, 'bin')}:${PATH}` };
  const redis = await startProcess({ command: program, args: replaced, env, ownGroup: true, endsWithUs: true });
  const connection = createProducerConnection(`redis://127.0.0.1:${port}`, { enqueueTimeoutMs: 20_000 });
  const stop = async () => {
    connection.disconnect();
    // The command leaves a process behind that may still wait for Redis.
    redis.killGroup('SIGTERM');
    await redis.exited;
  };
  onTestFinished(() => (redis.isRunning() ? stop() : undefined));
  connection.connect().catch(() => undefined);
  const answers = () =>
    connection.ping().then(
      () => true,
      () => false,
    );
  await redis.until(answers, { withinMs: 20_000, pollMs: 50 });
  const setting = async (name: string) => String((await connection.config('GET', name)).at(1));
  return { connection, setting, stop };
}

it('has Redis write everything through, evict nothing, and use 40 % of the memory', async () => {
  const { setting } = await start();
  expect(await Promise.all(['appendonly', 'appendfsync', 'maxmemory-policy', 'save'].map(setting))).toEqual([
    'yes',
    'always',
    'noeviction',
    '',
  ]);
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  expect(Number(await setting('maxmemory')) / memory).toBeCloseTo(0.4, 2);
});

it('starts with data that is larger than that, and gives it room', async () => {
  const first = await start();
  await first.connection.setrange('call', 8 * MEBIBYTE, 'x');
  await first.stop();
  const { connection, setting } = await start(10 * MEBIBYTE);
  await vi.waitUntil(async () => Number(await setting('maxmemory')) > 12 * MEBIBYTE, { timeout: 20_000, interval: 50 });
  expect(await connection.set('other', '1')).toBe('OK');
});
