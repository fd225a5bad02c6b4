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

/** What starting the receiver takes. */
export interface StartReceiverOptions extends KeepAppOptions {
  /** Is told of the process at once, also when it then fails. */
  started: (app: { name: 'receiver'; stop: () => Promise<void> }) => void;
}

/**
 * Starts the receiver and waits until it answers, which takes neither Redis nor Postgres.
 *
 * @throws {CliError} `app_failed`: it ended, or does not answer after a minute. AbortError when everything is to be stopped.
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
  ended.catch(() => {}); // of interest only while the races below run
  const deadline = performance.now() + SERVING_WITHIN_MS;
  while (performance.now() < deadline) {
    const answer = await Promise.race([askApp(RECEIVER, env), ended]);
    if (answer.isServing) return;
    await Promise.race([wait(POLL_MS, undefined, { signal: leaving }), ended]);
  }
  throw new CliError('app_failed', `The receiver does not answer after ${SERVING_WITHIN_MS / 1000} s.`);
}
