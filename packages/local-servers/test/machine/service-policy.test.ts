import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { removeLeftPolicy, startNothing } from '../../src/machine/service-policy.ts';
import { startProcess } from '../../src/processes/start-process.ts';

// A file of the test's own: the system's file may be an administrator's.
async function policyFile(): Promise<string> {
  return join(await makeTempFolder(), 'policy-rc.d');
}

const exists = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  );

async function exitCodeOf(file: string): Promise<number | null> {
  const [code] = await (await startProcess({ command: file, env: {} })).exited;
  return code;
}

test('refuses every service while a package is installed, and removes the policy afterwards', async () => {
  const file = await policyFile();
  expect(await startNothing(() => exitCodeOf(file), file)).toBe(101);
  expect(await exists(file)).toBe(false);
  await expect(startNothing(() => Promise.reject(new Error('no network')), file)).rejects.toThrow('no network');
  expect(await exists(file)).toBe(false);
});

test('removes the policy that a killed run has left behind', async () => {
  const file = await policyFile();
  const script = `
    import { startNothing } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../dist/machine/service-policy.js')).href)};
    await startNothing(() => new Promise(() => { console.log('installing'); setInterval(() => {}, 1000); }), ${JSON.stringify(file)});`;
  const args = ['--input-type=module', '-e', script];
  const run = await startProcess({ command: process.execPath, args, env: {} });
  await run.until(() => run.output().includes('installing'));
  run.kill('SIGKILL');
  await run.exited;
  expect(await exitCodeOf(file)).toBe(101);
  await removeLeftPolicy(file);
  expect(await exists(file)).toBe(false);
});

test.each(['#!/bin/sh\nexit 101\n', '#!/bin/sh\n# ours\nexit 0\n', ''])(
  'leaves the policy of an administrator: %j',
  async (text) => {
    const file = await policyFile();
    await writeFile(file, text, { mode: 0o755 });
    await removeLeftPolicy(file);
    await startNothing(() => Promise.resolve(), file);
    expect(await readFile(file, 'utf8')).toBe(text);
  },
);

test('refuses services for two runs at the same time, and the first run removes the policy', async () => {
  const file = await policyFile();
  await startNothing(async () => {
    await startNothing(() => exitCodeOf(file), file);
  }, file);
  expect(await exists(file)).toBe(false);
});
