import { expect, onTestFinished, test } from 'vitest';
import { isRunning } from '../../src/processes/is-running.ts';
import { type StartedProcess, startProcess } from '../../src/processes/start-process.ts';
import { stopProcess } from '../../src/processes/stop-process.ts';
import { startStranger } from '../support/a-stranger.ts';

const STEPS = [
  { signal: 'SIGTERM', withinMs: 300 },
  { signal: 'SIGKILL', withinMs: 5_000 },
] as const;

/** A process that does so at SIGTERM. */
async function startTrapping(atTerm: string): Promise<StartedProcess> {
  const script = `trap '${atTerm}' TERM; echo ready; while :; do sleep 0.01; done`;
  const started = await startProcess({ command: 'sh', args: ['-c', script], env: {} });
  onTestFinished(() => started.kill('SIGKILL'));
  await started.until(() => started.output() !== '');
  return started;
}

test('stops a process by the first step that works', async () => {
  const polite = await startTrapping('exit 5');
  expect(await stopProcess(polite.pid, STEPS)).toBe(true);
  expect(await polite.exited).toEqual([5, null]);
  const deaf = await startTrapping('');
  expect(await stopProcess(deaf.pid, STEPS)).toBe(true);
  expect(await deaf.exited).toEqual([null, 'SIGKILL']);
});

test('says so where no step works, and leaves the process alone where there is none', async () => {
  const deaf = await startTrapping('');
  expect(await stopProcess(deaf.pid, [{ signal: 'SIGTERM', withinMs: 50 }])).toBe(false);
  expect(await stopProcess(deaf.pid, [])).toBe(false);
  expect(isRunning(deaf.pid)).toBe(true);
});

test('does nothing to a process that has ended', async () => {
  const stranger = await startStranger();
  stranger.kill('SIGKILL');
  await stranger.exited;
  expect(isRunning(stranger.pid)).toBe(false);
  expect(await stopProcess(stranger.pid, STEPS)).toBe(true);
});

// Its end is known to nobody: its parent sleeps on.
test.runIf(process.platform === 'linux')(
  'takes a process that nobody has asked for its end for an ended one',
  async () => {
    const script = 'sh -c "echo \\$\\$" & exec sleep 600';
    const parent = await startProcess({ command: 'sh', args: ['-c', script], env: {} });
    onTestFinished(() => parent.kill('SIGKILL'));
    const pid = Number(await parent.until(() => /^(\d+)\n/.exec(parent.output())?.[1]));
    await parent.until(() => !isRunning(pid));
    expect(() => process.kill(pid, 0)).not.toThrow();
  },
);
