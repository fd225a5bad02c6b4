import { setTimeout as wait } from 'node:timers/promises';
import { choosePort } from '@landline/local-servers';
import { CliError } from '../errors.ts';
import { type App, portsOf } from './apps.ts';
import type { Environment } from './env-file.ts';

const POLL_MS = 100;

/** How long to wait for a port that is taken, and the signal that ends the wait. */
export interface PortsLimit {
  /** In milliseconds; 0 means no wait. */
  withinMs: number;
  /** Aborts when everything is to be stopped. */
  leaving: AbortSignal;
}

/**
 * Checks that the ports of an app are free, before the app starts.
 *
 * @throws {CliError} `app_failed`: names each port that is taken, and the variable that changes it. AbortError when `leaving` aborts.
 */
export async function checkPorts(app: App, env: Environment, { withinMs, leaving }: PortsLimit): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const taken = await findTaken(app, env);
    if (taken.length === 0) return;
    if (performance.now() >= deadline) throw new CliError('app_failed', taken.join('\n'));
    await wait(POLL_MS, undefined, { signal: leaving });
  }
}

/** Answers a line for each port that is taken. */
async function findTaken(app: App, env: Environment): Promise<string[]> {
  const taken: string[] = [];
  for (const { variable, port } of portsOf(app, env)) {
    // The app itself refuses a value that is no port.
    const isPort = Number.isInteger(port) && port > 0 && port < 65_536;
    // oxlint-disable-next-line no-await-in-loop -- one or two
    if (!isPort || (await choosePort(port)) === port) continue;
    taken.push(`Port ${port} of the ${app.name} is taken: stop what uses it, or set ${variable} in .env.`);
  }
  return taken;
}
