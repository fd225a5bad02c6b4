import { setTimeout as wait } from 'node:timers/promises';
import { CliError } from '../errors.ts';
import { choosePort } from '../services/choose-port.ts';
import { type App, APPS, portsOf } from './apps.ts';
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
    if (performance.now() >= deadline) throw new CliError('app_failed', taken.map(describe).join('\n'));
    await wait(POLL_MS);
  }
}

interface Taken {
  app: App;
  variable: string;
  port: number;
}

async function findTaken(env: Environment): Promise<Taken[]> {
  const taken: Taken[] = [];
  for (const app of APPS) {
    for (const { variable, port } of portsOf(app, env)) {
      const isPort = Number.isInteger(port) && port > 0 && port < 65_536;
      // oxlint-disable-next-line no-await-in-loop -- a handful, one after the other
      if (isPort && (await choosePort(port)) !== port) taken.push({ app, variable, port });
    }
  }
  return taken;
}

function describe({ app, variable, port }: Taken): string {
  return `Port ${port} of the ${app.name} is taken: stop what uses it, or set ${variable} in .env.`;
}
