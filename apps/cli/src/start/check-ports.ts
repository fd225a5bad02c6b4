import { setTimeout as wait } from 'node:timers/promises';
import { CliError } from '../errors.ts';
import { choosePort } from '../services/choose-port.ts';
import { type App, APPS, portOf } from './apps.ts';
import type { Environment } from './env-file.ts';

const POLL_MS = 100;

/**
 * Makes sure that every app's port is free, before anything starts.
 *
 * @param withinMs  How long to wait for those that are not.
 * @throws          {CliError} `app_failed`: names all that are taken, and the variable that changes each.
 */
export async function checkPorts(env: Environment, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const taken = await findTaken(env);
    if (taken.length === 0) return;
    if (performance.now() >= deadline) throw new CliError('app_failed', taken.map(describe(env)).join('\n'));
    await wait(POLL_MS);
  }
}

async function findTaken(env: Environment): Promise<App[]> {
  const taken: App[] = [];
  for (const app of APPS) {
    const port = portOf(app, env);
    const isPort = Number.isInteger(port) && port > 0 && port < 65_536;
    if (isPort && (await choosePort(port)) !== port) taken.push(app);
  }
  return taken;
}

function describe(env: Environment): (app: App) => string {
  return (app) =>
    `Port ${portOf(app, env)} of the ${app.name} is taken: stop what uses it, or set ${app.portVariable} in .env.`;
}
