import { expect, onTestFinished, test } from 'vitest';
import { isRunning } from '../../src/processes/is-running.ts';
import { type StartedProcess, startProcess } from '../../src/processes/start-process.ts';
import { signalIfThere, stopProcess } from '../../src/processes/stop-process.ts';
import { startStranger } from '../support/start-stranger.ts';

/** Asks first, and waits so long for what is asked. */
const steps = (withinMs: number) =>
  [
    { signal: 'SIGTERM', withinMs },
    { signal: 'SIGKILL', withinMs: 20_000 },
  ] as const;

/** Starts a process that runs the shell command `atTerm` at SIGTERM. */
async function startTrapping(atTerm: string): Promise<StartedProcess> {
  const script = `trap '${atTerm}' TERM; echo ready; while :; do sleep 0.01; done`;
  const started = await startProcess({ command: 'sh', args: ['-c', script], env: {} });
  onTestFinished(() => started.kill('SIGKILL'));
  await started.until(() => started.output() !== '');
  return started;
}

test('stops a process by the first step that works', async () => {
  const polite = await startTrapping('exit 5');
  expect(await stopProcess(polite.pid, steps(20_000))).toBe(true);
  expect(await polite.exited).toEqual([5, null]);
  const deaf = await startTrapping('');
  expect(await stopProcess(deaf.pid, steps(300))).toBe(true);
  expect(await deaf.exited).toEqual([null, 'SIGKILL']);
});

test('answers false where no step works, and where there is no step', async () => {
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
  expect(await stopProcess(stranger.pid, steps(300))).toBe(true);
});

// The parent sleeps on and never asks for the exit of its child: so the child stays a zombie.
test.runIf(process.platform === 'linux')('takes a zombie for a process that has ended', async () => {
  const script = 'sh -c "echo \\$\\$" & exec sleep 600';
  const parent = await startProcess({ command: 'sh', args: ['-c', script], env: {} });
  onTestFinished(() => parent.kill('SIGKILL'));
  const pid = Number(await parent.until(() => /^(\d+)\n/.exec(parent.output())?.[1]));
  await parent.until(() => !isRunning(pid));
  expect(() => process.kill(pid, 0)).not.toThrow();
});

test('sends a signal to a process and to a group, and none where there is no such process', async () => {
  const options = { command: 'sh', args: ['-c', 'sleep 600 & wait'], env: {}, ownGroup: true };
  const [one, group] = [await startStranger(), await startProcess(options)];
  onTestFinished(() => group.killGroup('SIGKILL'));
  signalIfThere(one.pid, 'SIGTERM');
  expect(await one.exited).toEqual([null, 'SIGTERM']);
  signalIfThere(-group.pid, 'SIGKILL');
  // `exited` resolves when the sleeping child is gone as well: it holds the output open.
  expect(await group.exited).toEqual([null, 'SIGKILL']);
  expect(() => signalIfThere(one.pid, 'SIGTERM')).not.toThrow();
  expect(() => signalIfThere(-group.pid, 'SIGTERM')).not.toThrow();
});
