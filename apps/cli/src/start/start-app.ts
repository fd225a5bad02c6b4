import { fork } from 'node:child_process';
import { join } from 'node:path';
import { type RunningProcess, stopProcess, type StopStep } from '@landline/local-servers';
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
export function startApp(root: string, app: App, env: Environment): RunningProcess {
  const child = fork(join(root, 'apps', app.name, 'dist', 'main.js'), [], {
    cwd: root,
    env: environmentOf(app, env),
    execArgv: [...(app.nodeOptions ?? [])],
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
    child.once('error', (error) => resolve(error.message));
  });
  let ended = false;
  void exited.then(() => (ended = true));
  const pid = child.pid ?? 0;
  const stop = async () => {
    // Once it has ended, its pid may be somebody else's.
    if (child.pid !== undefined && !ended) await stopProcess(child.pid, stopSteps(drainMs(app, env)));
  };
  return { pid, exited, stop };
}
