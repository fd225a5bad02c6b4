import { expect, test } from 'vitest';
import { runProgram, START_LIMIT_MS } from './support/run-program.ts';

/** A process that works until it is stopped. `stop` is the text of a function, `options` that of its options. */
async function startWorking({ stop, options = '{}' }: { stop: string; options?: string }) {
  const program = runProgram(
    `landline.stopOnRequest(${stop}, ${options});
    setInterval(() => {}, 1000);
    console.log('working');`,
  );
  await expect.poll(program.output, { timeout: START_LIMIT_MS }).toContain('working');
  return program;
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  'stops on %s, and exits with 0 where the stop names no code',
  async (signal) => {
    const { child, output, ended } = await startWorking({ stop: `async () => console.log('stopped')` });
    child.kill(signal);
    expect(await ended).toEqual([0, null]);
    expect(output()).toContain('stopped');
  },
);

test('exits with the code that the stop names', async () => {
  const { child, ended } = await startWorking({ stop: 'async () => 3' });
  child.kill('SIGTERM');
  expect(await ended).toEqual([3, null]);
});

test('stops when the process that started it closes their channel', async () => {
  const { child, ended } = await startWorking({ stop: 'async () => 4' });
  child.disconnect();
  expect(await ended).toEqual([4, null]);
});

test('finishes its stop when it is asked to stop again', async () => {
  const stop = `async () => {
    const asked = new Promise((done) => process.once('SIGUSR2', done));
    console.log('stopping');
    await asked;
    return 5;
  }`;
  const { child, output, ended } = await startWorking({ stop });
  child.kill('SIGTERM');
  await expect.poll(output, { timeout: START_LIMIT_MS }).toContain('stopping');
  child.kill('SIGTERM');
  child.kill('SIGINT');
  child.disconnect();
  child.kill('SIGUSR2');
  expect(await ended).toEqual([5, null]);
  expect(output().match(/stopping/g)).toHaveLength(1);
});

test('exits with 1 and prints the error where the stop fails', async () => {
  const { child, errors, ended } = await startWorking({
    stop: `async () => { throw new Error('the database does not answer'); }`,
  });
  child.kill('SIGTERM');
  expect(await ended).toEqual([1, null]);
  expect(errors()).toContain('Stopping failed: Error: the database does not answer');
});

test('exits with 1 where the stop takes longer than its limit', async () => {
  // The limit is 9.5 s beside the wait. A negative wait shortens it for this test.
  const { child, ended } = await startWorking({ stop: '() => new Promise(() => {})', options: '{ waitMs: -9_400 }' });
  child.kill('SIGTERM');
  expect(await ended).toEqual([1, null]);
});

test('gives a stop that waits first that much more time', async () => {
  const stop = `() => new Promise((done) => setTimeout(done, 300, 6))`;
  const { child, ended } = await startWorking({ stop, options: '{ waitMs: 60_000 }' });
  child.kill('SIGTERM');
  expect(await ended).toEqual([6, null]);
});
