import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startPrivateRedis } from './support/private-redis.ts';
import { findRedisServer } from './support/redis-server.ts';

/** A folder that goes when the test ends. */
async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'landline-path-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it('starts valkey-server where there is no redis-server', async () => {
  const folder = await aFolder();
  await symlink(findRedisServer(process.env['PATH'] ?? ''), join(folder, 'valkey-server'));
  const redis = await startPrivateRedis([], folder);
  onTestFinished(() => redis.stop());
  expect(await redis.run(['PING'])).toBe('PONG');
});

it('says what is missing where there is neither', async () => {
  await expect(startPrivateRedis([], await aFolder())).rejects.toThrow(/redis-server or valkey-server/);
});
