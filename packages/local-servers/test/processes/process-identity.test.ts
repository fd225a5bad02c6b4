import { realpath, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { isServerOf } from '../../src/processes/process-identity.ts';
import { startProcess } from '../../src/processes/start-process.ts';

async function startIn(cwd: string) {
  const sleeping = await startProcess({ command: 'sleep', args: ['600'], env: {}, cwd });
  onTestFinished(() => sleeping.kill('SIGKILL'));
  return sleeping;
}

test('recognises a process by its program and its working folder, also through a link', async () => {
  const folder = await realpath(await makeTempFolder());
  const { pid } = await startIn(folder);
  const link = join(await makeTempFolder(), 'link');
  await symlink(folder, link);
  expect(await isServerOf(pid, ['redis-server', 'sleep'], folder)).toBe(true);
  expect(await isServerOf(pid, ['sleep'], link)).toBe(true);
});

test('does not recognise another program, another folder, an ended process, or a folder that is gone', async () => {
  const folder = await makeTempFolder();
  const { pid, kill, exited } = await startIn(folder);
  expect(await isServerOf(pid, ['redis-server'], folder)).toBe(false);
  expect(await isServerOf(pid, ['sleep'], await makeTempFolder())).toBe(false);
  expect(await isServerOf(pid, ['sleep'], join(folder, 'gone'))).toBe(false);
  kill('SIGKILL');
  await exited;
  expect(await isServerOf(pid, ['sleep'], folder)).toBe(false);
});
