import { onTestFinished } from 'vitest';
import { type StartedProcess, startProcess } from '../../src/processes/start-process.ts';

/** Starts a process that is no server, and kills it when the test ends. */
export async function startStranger(): Promise<StartedProcess> {
  const stranger = await startProcess({ command: 'sleep', args: ['600'], env: {} });
  onTestFinished(() => stranger.kill('SIGKILL'));
  return stranger;
}
