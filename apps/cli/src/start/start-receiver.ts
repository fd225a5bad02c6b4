import { setTimeout as wait } from 'node:timers/promises';
import type { RunningProcess } from '@landline/local-servers';
import { CliError } from '../errors.ts';
import { RECEIVER } from './apps.ts';
import { askApp } from './ask-app.ts';
import type { Environment } from './env-file.ts';
import { keepApp, type KeepAppOptions, type KeptApp } from './keep-app.ts';
import { startApp } from './start-app.ts';

const POLL_MS = 100;
const SERVING_WITHIN_MS = 60_000;

/** How to start the receiver, and who learns of its process. */
export interface StartReceiverOptions extends KeepAppOptions {
  /** Called with the process as soon as it runs, also when it then fails. */
  started: (app: { name: 'receiver'; stop: () => Promise<void> }) => void;
}

/**
 * Starts the receiver and waits until it answers. It answers also while Redis and Postgres are away.
 *
 * @returns The receiver, which is kept running from now on.
 * @throws  {CliError} `app_failed`: it ended, or does not answer after a minute. AbortError when everything is to be stopped.
 */
export async function startReceiver({ started, ...options }: StartReceiverOptions): Promise<KeptApp> {
  const { root, env, leaving } = options;
  const first = await startApp(root, RECEIVER, env);
  started({ name: 'receiver', stop: first.stop });
  await waitUntilServing(first, env, leaving);
  return keepApp(RECEIVER, { ...options, first });
}

async function waitUntilServing(running: RunningProcess, env: Environment, leaving: AbortSignal): Promise<void> {
  const ended = running.exited.then((how) => {
    throw new CliError('app_failed', `The receiver ended while starting (${how}). Its own message is above.`);
  });
  ended.catch(() => {}); // only the races below handle it; a later end is no unhandled rejection
  const deadline = performance.now() + SERVING_WITHIN_MS;
  while (performance.now() < deadline) {
    const answer = await Promise.race([askApp(RECEIVER, env), ended]);
    if (answer.isServing) return;
    await Promise.race([wait(POLL_MS, undefined, { signal: leaving }), ended]);
  }
  throw new CliError('app_failed', `The receiver does not answer after ${SERVING_WITHIN_MS / 1000} s.`);
}
