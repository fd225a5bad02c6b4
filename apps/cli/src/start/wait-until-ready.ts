import { setTimeout as wait } from 'node:timers/promises';
import { CliError } from '../errors.ts';
import type { RunningProcess } from '../services/running-process.ts';
import { addressOf, type App } from './apps.ts';
import type { Environment } from './env-file.ts';

const POLL_MS = 100;
const READY_WITHIN_MS = 60_000;

/**
 * Waits until `app` answers that it is ready.
 *
 * @throws {CliError} `app_failed`: it ended, or is not ready after a minute.
 */
export async function waitUntilReady(
  app: App,
  running: RunningProcess,
  { env, stopping }: { env: Environment; stopping: AbortSignal },
): Promise<void> {
  const url = `${addressOf(app, env)}${app.ready.path}`;
  const ended = running.exited.then((how) => {
    throw new CliError('app_failed', `The ${app.name} ended while starting (${how}). Its own message is above.`);
  });
  ended.catch(() => {}); // of interest only while the race below runs
  const deadline = performance.now() + READY_WITHIN_MS;
  let last = 'no answer';
  while (performance.now() < deadline) {
    last = await Promise.race([ask(url), ended]);
    if (last.startsWith(`${app.ready.status} `)) return;
    await Promise.race([wait(POLL_MS, undefined, { signal: stopping }), ended]);
  }
  throw new CliError('app_failed', `The ${app.name} is not ready after ${READY_WITHIN_MS / 1000} s. ${url}: ${last}`);
}

async function ask(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    return `${response.status} ${await response.text()}`;
  } catch {
    return 'no answer';
  }
}
