import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeRoles, migrate } from '@landline/store';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { startApp } from '../../../test/support/app-process.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';

test('a worker that may change no table waits for the owner to migrate, says how, and takes jobs then', async () => {
  await runSql(inject('databaseUrl'), 'CREATE DATABASE worker_roles TEMPLATE template0');
  const url = new URL(inject('databaseUrl'));
  url.pathname = 'worker_roles';
  const passwords = { owner: 'a', worker: 'b', reader: 'c' };
  const roles = await makeRoles({ adminUrl: url.href, passwords, prefix: 'worker_roles' });
  onTestFinished(async () => {
    await runSql(inject('databaseUrl'), 'DROP DATABASE worker_roles WITH (FORCE)');
    for (const role of ['owner', 'worker', 'reader']) {
      // oxlint-disable-next-line no-await-in-loop -- three
      await runSql(inject('databaseUrl'), `DROP ROLE worker_roles_${role}`);
    }
  });
  const file = join(await makeTempFolder(), 'url');
  await writeFile(file, `${roles.worker}\n`);

  const worker = await startApp('worker', { env: { DATABASE_URL_FILE: file, REDIS_URL: `${inject('redisUrl')}/14` } });
  await vi.waitUntil(() => worker.output().includes('landline migrate'), { timeout: 20_000 });
  expect(worker.output()).toContain('DIRECT_URL');
  expect((await fetch(`${worker.url}/health/ready`)).status).toBe(503);
  await migrate(roles.owner);
  await vi.waitUntil(() => worker.output().includes('Taking jobs'), { timeout: 20_000 });
  // Its first question to Redis may outlast its limit of a second on a busy machine.
  await expect
    .poll(async () => (await fetch(`${worker.url}/health/ready`)).json(), { timeout: 20_000 })
    .toEqual({
      status: 'ready',
      redis: 'ready',
      postgres: 'ready',
    });
  expect(worker.output()).not.toContain(roles.worker);
  expect(await worker.stop()).toEqual([0, null]);
});
