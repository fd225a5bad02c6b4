import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { startProcess } from '@landline/local-servers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';

const BUILT = JSON.stringify(new URL('../dist/start/stop-signal.js', import.meta.url).href);

/** A program that prints `ready`, and at each request to stop `stopping`. It ends when its input does. */
const PROGRAM = (withParent: boolean) => `
  import { stopSignal } from ${BUILT};
  const signal = stopSignal({ withParent: ${withParent} });
  signal.addEventListener('abort', () => console.log('stopping'));
  process.stdin.on('end', () => process.exit(7)).resume();
  console.log('ready ' + process.pid);`;

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'aborts once at %s, and survives further signals',
  async (signal) => {
    const started = await startProcess({
      command: process.execPath,
      args: ['--input-type=module', '-e', PROGRAM(false)],
      env: {},
      input: new PassThrough(),
    });
    onTestFinished(() => started.kill('SIGKILL'));
    await started.until(() => started.output().startsWith('ready'));
    started.kill(signal);
    await started.until(() => started.output().includes('stopping'));
    for (const again of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) started.kill(again);
    started.child.stdin?.end();
    expect(await started.exited).toEqual([7, null]);
    expect(started.output().match(/stopping/g)).toHaveLength(1);
  },
);

test('aborts when its parent ends, where withParent is set', async () => {
  const folder = await makeTempFolder();
  const log = join(folder, 'log');
  // The shell runs the program in the background, as npm's shell does, and passes no signal on.
  const script = `sleep 600 | "$NODE" --input-type=module -e "$PROGRAM" >"$LOG" & wait`;
  const env = { PATH: process.env['PATH'], NODE: process.execPath, PROGRAM: PROGRAM(true), LOG: log };
  const parent = await startProcess({ command: 'sh', args: ['-c', script], env, ownGroup: true });
  onTestFinished(() => parent.killGroup('SIGKILL'));
  const logged = () => readFile(log, 'utf8').catch(() => '');
  await vi.waitUntil(async () => (await logged()).startsWith('ready'), { timeout: 20_000, interval: 20 });
  expect(await logged()).not.toContain('stopping');
  // Only the shell: its children are in the same group.
  parent.kill('SIGKILL');
  await vi.waitUntil(async () => (await logged()).includes('stopping'), { timeout: 20_000, interval: 20 });
});
