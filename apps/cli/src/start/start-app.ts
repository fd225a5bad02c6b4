import { join } from 'node:path';
import { describeExit, type RunningProcess, startProcess, stopProcess, type StopStep } from '@landline/local-servers';
import { type App, drainMs, environmentOf } from './apps.ts';
import type { Environment } from './env-file.ts';

/** The apps promise to be gone within 10 s of SIGTERM, and the time in which they go on serving. */
const stopSteps = (serveOnMs: number): StopStep[] => [
  { signal: 'SIGTERM', withinMs: 10_000 + serveOnMs },
  { signal: 'SIGKILL', withinMs: 1_000 },
];

/**
 * Starts an app in a process group of its own: a terminal's Ctrl-C is for the supervisor, which stops the apps in order.
 * The channel to it is how an app learns that the supervisor was killed, and ends as well.
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
    // Once it has ended, its pid may be somebody else's.
    if (started.isRunning()) await stopProcess(started.pid, stopSteps(drainMs(app, env)));
  };
  return { pid: started.pid, exited: started.exited.then(describeExit), stop };
}
