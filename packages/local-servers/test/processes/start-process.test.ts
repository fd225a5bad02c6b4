import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { isRunning } from '../../src/processes/is-running.ts';
import { describeExit, type ProcessOptions, startProcess } from '../../src/processes/start-process.ts';

/** Runs a shell script until the test ends. */
async function sh(script: string, options: Partial<ProcessOptions> = {}) {
  const started = await startProcess({ command: 'sh', args: ['-c', script], env: {}, ...options });
  onTestFinished(() => started.kill('SIGKILL'));
  return started;
}

test('says how a process ended, with both of its outputs', async () => {
  const failed = await sh('echo out; echo err >&2; exit 3');
  expect(await failed.exited).toEqual([3, null]);
  expect(failed.output().split('\n').sort()).toEqual(['', 'err', 'out']);
  expect(failed.isRunning()).toBe(false);
  const killed = await sh('kill -KILL $$');
  expect(await killed.exited).toEqual([null, 'SIGKILL']);
  expect([[3, null] as const, [null, 'SIGKILL'] as const].map(([...exit]) => describeExit(exit))).toEqual([
    'code 3',
    'SIGKILL',
  ]);
});

test('rejects a program that is not there', async () => {
  const starting = startProcess({ command: '/nowhere/at-all', env: {} });
  await expect(starting).rejects.toMatchObject({ code: 'ENOENT' });
});

test('gives a process the named environment, and nothing else', async () => {
  const { exited, output } = await startProcess({ command: '/usr/bin/env', env: { ONE: '1' } });
  await exited;
  expect(output()).toBe('ONE=1\n');
});

test('writes a text, or a stream that is still being written, to the standard input', async () => {
  const all = await sh('cat', { input: 'a text' });
  await all.exited;
  expect(all.output()).toBe('a text');

  const keys = new PassThrough();
  const slow = await sh('while read line; do echo "read $line"; done', { input: keys });
  keys.write('one\n');
  await slow.until(() => slow.output() === 'read one\n');
  keys.end('two\n');
  expect(await slow.exited).toEqual([0, null]);
  expect(slow.output()).toBe('read one\nread two\n');
});

test('keeps only the last characters of the output where it is limited, and logs all of it', async () => {
  let logged = '';
  const log = new Writable({
    write(piece, _encoding, done) {
      logged += String(piece);
      done();
    },
  });
  const { exited, output } = await sh('echo 123456789', { outputLimit: 4, log });
  await exited;
  expect([output(), logged]).toEqual(['789\n', '123456789\n']);
});

test('appends the output to a file, which is for its owner alone', async () => {
  const file = join(await makeTempFolder(), 'log');
  await writeFile(file, 'before\n');
  const { exited, output } = await sh('echo out; echo err >&2', { output: { file } });
  await exited;
  expect(await readFile(file, 'utf8')).toBe('before\nout\nerr\n');
  expect(output()).toBe('');
});

test('stops a process by SIGTERM, and a process that ignores SIGTERM by SIGKILL', async () => {
  const polite = await sh('trap "exit 5" TERM; echo ready; while :; do sleep 0.01; done');
  await polite.until(() => polite.output() !== '');
  expect(await polite.stop()).toEqual([5, null]);
  expect(await polite.stop()).toEqual([5, null]);

  const deaf = await sh('trap "" TERM; echo ready; while :; do sleep 0.01; done');
  await deaf.until(() => deaf.output() !== '');
  expect(await deaf.stop(50)).toEqual([null, 'SIGKILL']);
});

test.each(['json', 'advanced'] as const)(
  'passes messages through a channel as %s, and sees the end of it',
  async (channel) => {
    const script =
      "process.on('message', (said) => process.send({ said })); process.on('disconnect', () => process.exit(4));";
    const { child, exited } = await startProcess({ command: process.execPath, args: ['-e', script], env: {}, channel });
    const answer = once(child, 'message');
    child.send('hello');
    expect((await answer)[0]).toEqual({ said: 'hello' });
    child.disconnect();
    expect(await exited).toEqual([4, null]);
  },
);

test('sends a signal to a whole group', async () => {
  const script = 'sh -c "echo child \\$\\$; exec sleep 600" & wait';
  const { exited, output, until, killGroup } = await sh(script, { ownGroup: true });
  const [, child] = await until(() => /child (\d+)\n/.exec(output()) ?? undefined);
  killGroup('SIGKILL');
  // `exited` resolves when both processes are gone: the child prints to the same output.
  expect(await exited).toEqual([null, 'SIGKILL']);
  expect(isRunning(Number(child))).toBe(false);
  killGroup('SIGKILL');
});

test('waits until a check finds its answer, which the last output may hold', async () => {
  const { output, until } = await sh('echo one; sleep 0.05; echo "on port 17"');
  expect(await until(() => /port (\d+)/.exec(output())?.[1])).toBe('17');
});

test('says why a check finds nothing, with the output: the process has ended, or the time is over', async () => {
  const ended = await sh('echo no room; exit 7', { name: 'The server' });
  await expect(ended.until(() => false)).rejects.toThrow('The server ended (code 7):\nno room\n');
  const stuck = await sh('echo thinking; exec sleep 600');
  await stuck.until(() => stuck.output() !== '');
  await expect(stuck.until(() => undefined, { withinMs: 30 })).rejects.toThrow(
    /^sh is not there after 30 ms:\nthinking/,
  );
});

test.each([
  ['is killed with the process that started it where endsWithUs is set', true],
  ['runs on after the process that started it where endsWithUs is not set', false],
])('%s', async (_, endsWithUs) => {
  const built = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href;
  const script = `
    import { startProcess } from ${JSON.stringify(built)};
    const options = { command: 'sleep', args: ['600'], env: process.env, output: 'inherit', outlivesUs: true };
    const { pid } = await startProcess({ ...options, endsWithUs: ${endsWithUs} });
    console.log('started ' + pid);`;
  const args = ['--input-type=module', '-e', script];
  const parent = await startProcess({ command: process.execPath, args, env: { PATH: '/usr/bin:/bin' } });
  const pid = Number((await parent.until(() => /started (\d+)\n/.exec(parent.output()) ?? undefined))[1]);
  onTestFinished(() => {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  // `exited` would wait too long: a child that runs on holds the output of its parent open.
  await vi.waitUntil(() => !parent.isRunning(), { timeout: 20_000 });
  if (endsWithUs) await vi.waitUntil(() => !isRunning(pid), { timeout: 20_000 });
  expect(isRunning(pid)).toBe(!endsWithUs);
});
