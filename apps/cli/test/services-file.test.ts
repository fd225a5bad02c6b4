import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess } from '@landline/local-servers';
import { expect, onTestFinished, test } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { claimRoot, clearServices, readServices, writeServices } from '../src/start/services-file.ts';

const SERVICES = { pid: process.pid, databaseUrl: 'postgresql://db', redisUrl: 'redis://queue' };

test('notes the servers for their owner alone, until Landline stops', async () => {
  const root = await makeTempFolder();
  expect(await readServices(root)).toBeUndefined();
  await writeServices(root, SERVICES);
  expect(await readServices(root)).toEqual(SERVICES);
  expect((await stat(join(root, '.data', 'services.json'))).mode & 0o777).toBe(0o600);
  await clearServices(root);
  expect(await readServices(root)).toBeUndefined();
});

test('replaces an older note, also one that was cut short, with a file for its owner alone', async () => {
  const root = await makeTempFolder();
  await writeServices(root, { ...SERVICES, databaseUrl: 'postgresql://older' });
  await writeFile(join(root, '.data', 'services.json.new'), '{"pid":', { mode: 0o644 });
  await writeServices(root, SERVICES);
  expect(await readServices(root)).toEqual(SERVICES);
  expect((await stat(join(root, '.data', 'services.json'))).mode & 0o777).toBe(0o600);
});

test('rejects where the note cannot be written, and leaves the older one', async () => {
  const root = await makeTempFolder();
  await writeServices(root, SERVICES);
  await mkdir(join(root, '.data', 'services.json.new'));
  await expect(writeServices(root, { ...SERVICES, pid: 1 })).rejects.toMatchObject({ code: 'ERR_FS_EISDIR' });
  expect(await readServices(root)).toEqual(SERVICES);
});

test.each([
  ['another program', { command: 'sleep', args: ['600'] }, true],
  ['Node in another folder', { command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] }, false],
])('takes a folder over whose old number %s has', async (_, program, isHere) => {
  const root = await makeTempFolder();
  const cwd = isHere ? root : await makeTempFolder();
  const other = await startProcess({ ...program, cwd, env: { PATH: process.env['PATH'] } });
  onTestFinished(() => other.kill('SIGKILL'));
  await writeServices(root, { ...SERVICES, pid: other.pid });
  expect(await claimRoot(root)).toBe('killed');
  expect(other.isRunning()).toBe(true);
});

test('refuses a second npm start in the same folder while the first one runs', async () => {
  const root = await makeTempFolder();
  const args = ['-e', 'setInterval(() => {}, 1000)'];
  const first = await startProcess({ command: process.execPath, args, cwd: root, env: {} });
  onTestFinished(() => first.kill('SIGKILL'));
  await writeServices(root, { ...SERVICES, pid: first.pid });
  await expect(claimRoot(root)).rejects.toMatchObject({ code: 'already_running' });
  first.kill('SIGKILL');
  await first.exited;
  expect(await claimRoot(root)).toBe('killed');
  expect(await readServices(root)).toEqual({ pid: process.pid });
});

test.each(['', '{"pid":', '{"pid":"1"}', '[]'])('takes the file content %j for no running Landline', async (text) => {
  const root = await makeTempFolder();
  await mkdir(join(root, '.data'));
  await writeFile(join(root, '.data', 'services.json'), text);
  expect(await claimRoot(root)).toBe('free');
});
