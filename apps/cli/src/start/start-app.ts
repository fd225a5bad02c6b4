import { join } from 'node:path';
import { describeExit, type RunningProcess, startProcess, stopProcess, type StopStep } from '@landline/local-servers';
import { type App, drainMs, environmentOf } from './apps.ts';
import type { Environment } from './env-file.ts';

/** Each app ends within 10 s of SIGTERM, after the time for which it serves on. */
const stopSteps = (serveOnMs: number): StopStep[] => [
  { signal: 'SIGTERM', withinMs: 10_000 + serveOnMs },
  { signal: 'SIGKILL', withinMs: 1_000 },
];

/**
 * Starts an app.
 *
 * - It has a process group of its own: a terminal's Ctrl-C reaches only `npm start`, which stops the apps in order.
 * - It has a channel to `npm start`: when that is killed, the channel closes, and the app ends as well.
 *
 * @throws When the app cannot be run.
 */
export async function startApp(root: string, app: App, env: Environment): Promise<RunningProcess> {
  const started = await startProcess({
    command: process.execPath,
    args: [...(app.nodeOptions ?? []), join(root, 'apps', app.name, 'dist', 'main.js')],
    cwd: root,
    env: environmentOf(app, env),
    output: 'inherit',
    ownGroup: true,
    channel: 'json',
  });
  const stop = async () => {
    // After its end, another process may have its number.
    if (started.isRunning()) await stopProcess(started.pid, stopSteps(drainMs(app, env)));
  };
  return { pid: started.pid, exited: started.exited.then(describeExit), stop };
}
