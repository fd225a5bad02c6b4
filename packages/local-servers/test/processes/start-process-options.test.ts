import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { type ProcessOptions, startProcess } from '../../src/processes/start-process.ts';

/** Runs a shell script until the test ends. */
async function sh(script: string, options: Partial<ProcessOptions> = {}) {
  const started = await startProcess({ command: 'sh', args: ['-c', script], env: {}, ...options });
  onTestFinished(() => started.kill('SIGKILL'));
  return started;
}

/** Runs a shell script to its end, and answers its output. */
async function outputOf(script: string, options: Partial<ProcessOptions> = {}): Promise<string> {
  const { exited, output } = await sh(script, options);
  await exited;
  return output();
}

test('works in the folder that is named, else in the folder of this process', async () => {
  const cwd = await makeTempFolder();
  expect(await outputOf('pwd -P', { cwd })).toBe(`${cwd}\n`);
  expect(await outputOf('pwd -P')).toBe(`${process.cwd()}\n`);
});

test('rejects a working folder that is gone', async () => {
  const cwd = await makeTempFolder();
  await rm(cwd, { recursive: true });
  await expect(startProcess({ command: 'sh', env: {}, cwd })).rejects.toMatchObject({ code: 'ENOENT' });
});

test('rejects a file for the output that cannot be opened', async () => {
  const file = join(await makeTempFolder(), 'missing', 'log');
  await expect(startProcess({ command: 'sh', env: {}, output: { file } })).rejects.toMatchObject({ code: 'ENOENT' });
});

test('rejects a program that may not be run', async () => {
  const file = join(await makeTempFolder(), 'program');
  await writeFile(file, '#!/bin/sh\n', { mode: 0o644 });
  await expect(startProcess({ command: file, env: {} })).rejects.toMatchObject({ code: 'EACCES' });
});

test.runIf(process.getuid?.() === 0)('as root it runs a process as another user', async () => {
  expect(await outputOf('id -u; id -g', { account: { uid: 65_534, gid: 65_534 } })).toBe('65534\n65534\n');
  expect(await outputOf('id -u', { account: undefined })).toBe('0\n');
});

test('leaves out a variable that is undefined', async () => {
  const env = { ONE: '1', TWO: undefined };
  expect(await outputOf('echo "[$ONE] [${TWO-not there}]"', { env })).toBe('[1] [not there]\n');
});

test('gives an empty input by default', async () => {
  expect(await outputOf('cat; echo end')).toBe('end\n');
});

test('survives a process that ends before it has read its input', async () => {
  const { exited } = await sh('exec true', { input: 'x'.repeat(4 * 1024 * 1024) });
  expect(await exited).toEqual([0, null]);
});

test('stays in the process group of this process, unless it is to lead its own', async () => {
  const script = 'ps -o pgid= -p $$';
  const [own, other] = [await sh(script, { ownGroup: true }), await sh(script)];
  await Promise.all([own.exited, other.exited]);
  expect(Number(own.output())).toBe(own.pid);
  expect(Number(other.output())).not.toBe(other.pid);
});

test('sends no signal to a process that has ended', async () => {
  const { exited, kill, stop, isRunning } = await sh('exit 3');
  await exited;
  kill('SIGKILL');
  expect(await stop(0)).toEqual([3, null]);
  expect(isRunning()).toBe(false);
});

test('passes the error of a check on', async () => {
  const { until } = await sh('exec sleep 600');
  await expect(until(() => Promise.reject(new Error('no such file')))).rejects.toThrow('no such file');
  await expect(
    until(() => {
      throw new Error('at once');
    }),
  ).rejects.toThrow('at once');
});

test('takes 0, an empty text and null for answers of a check', async () => {
  const { until } = await sh('exec sleep 600');
  expect(await until(() => 0)).toBe(0);
  expect(await until(() => '')).toBe('');
  expect(await until(() => null)).toBeNull();
});

test('names a process in its errors as the options do, else by its program', async () => {
  const named = await sh('exit 1', { name: 'The worker' });
  await expect(named.until(() => false)).rejects.toThrow(/^The worker ended \(code 1\):/);
  const byPath = await startProcess({ command: '/bin/sh', args: ['-c', 'exit 2'], env: {} });
  await expect(byPath.until(() => false)).rejects.toThrow(/^sh ended \(code 2\):/);
});

test('opens no channel by default', async () => {
  const { child, exited } = await sh('exit 0');
  await exited;
  expect([child.connected, child.channel]).toEqual([false, undefined]);
});
