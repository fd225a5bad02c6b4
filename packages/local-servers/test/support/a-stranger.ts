import { onTestFinished } from 'vitest';
import { type StartedProcess, startProcess } from '../../src/processes/start-process.ts';

/** A process that is no server, until the test ends. */
export async function startStranger(): Promise<StartedProcess> {
  const stranger = await startProcess({ command: 'sleep', args: ['600'], env: {} });
  onTestFinished(() => stranger.kill('SIGKILL'));
  return stranger;
}
