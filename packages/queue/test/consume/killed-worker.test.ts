import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import { createProducerConnection, firstAttempt } from '../../src/redis/connection.ts';
import { aConsumer } from '../support/a-consumer.ts';
import { aShard } from '../support/a-shard.ts';
import { anEvent, ownPrefix } from '../support/an-event.ts';
import { waitUntil } from '../support/wait-until.ts';

const redisUrl = inject('redisUrl');
const packageFolder = join(import.meta.dirname, '../..');
const tsc = join(packageFolder, '../../node_modules/.bin/tsc');
let built: string;

// A process of its own runs JavaScript; it is built inside the package, where Node finds what it imports.
beforeAll(async () => {
  const folder = join(packageFolder, 'node_modules');
  await mkdir(folder, { recursive: true });
  built = await mkdtemp(join(folder, '.built-'));
  await promisify(execFile)(tsc, ['-p', join(packageFolder, 'tsconfig.build.json'), '--outDir', built]);
});

afterAll(() => rm(built, { recursive: true, force: true }));

async function startWorkerToKill(prefix: string): Promise<ChildProcess> {
  const script = join(import.meta.dirname, '../support/worker-to-kill.mjs');
  const child = spawn(process.execPath, [script, pathToFileURL(join(built, 'index.js')).href, redisUrl, prefix]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

/** Redis notes when a key goes: set back by three hours, its clock keeps what was to go in seconds for three hours. */
async function keepForHours(prefix: string): Promise<void> {
  const redis = createProducerConnection(redisUrl, { enqueueTimeoutMs: 5000 });
  onTestFinished(() => redis.disconnect());
  await firstAttempt(redis);
  const [lock = ''] = await redis.keys(`${prefix}:*:lock`);
  expect(await redis.pexpire(lock, 3 * 3_600_000)).toBe(1);
  const stalledCheck = lock.replace(/[^:]+:lock$/, 'stalled-check');
  await redis.set(stalledCheck, '1', 'PX', 3 * 3_600_000);
}

it.each([
  ['', false],
  [', also where a clock that was set back makes keys stay for hours', true],
])(
  'gives the job of a killed worker to another within seconds, no attempt spent%s',
  { timeout: 60_000 },
  async (_, isSetBack) => {
    const prefix = ownPrefix();
    const shard = await aShard({ redisUrl, prefix });
    await shard.add([anEvent('survivor')], 100);
    const child = await startWorkerToKill(prefix);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    if (isSetBack) await keepForHours(prefix);
    const consumer = aConsumer({ redisUrl, prefix });
    await waitUntil(() => consumer.jobs.length === 1, { timeoutMs: 40_000 });
    expect(consumer.jobs[0]).toMatchObject({ attempt: 1, events: [{ body: 'survivor' }] });
  },
);
