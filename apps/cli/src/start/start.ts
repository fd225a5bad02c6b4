import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { migrate, migrationUrl } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { addressOf, type App, APPS, drainMs } from './apps.ts';
import { checkPorts } from './check-ports.ts';
import { type Environment, makeEnvFile, readEnvFile } from './env-file.ts';
import { keepRunning } from './keep-running.ts';
import { clearServices, claimRoot, writeServices } from './services-file.ts';
import { journalFolder } from './journal-folder.ts';
import { startApp } from './start-app.ts';
import { startServices } from './start-services.ts';
import { waitUntilReady } from './wait-until-ready.ts';

/** How long the receiver stops alone, beside its DRAIN_SECONDS: what it has accepted is with Redis before the worker goes. */
const RECEIVER_HEAD_START_MS = 2_000;

/** Apps whose supervisor was killed drain and end by themselves; within this time and DRAIN_SECONDS, as at SIGTERM. */
const LEFT_OVER_MS = 12_000;

interface Up {
  apps: { name: App['name']; stop: () => Promise<void> }[];
  services: { stop: () => Promise<void> }[];
}

/**
 * Runs everything on this machine until it is asked to stop: the servers that are not given, the receiver, the worker
 * and the dashboard. Whatever happens, nothing that it started is left running.
 *
 * @param stopping  Aborts when it is asked to stop.
 * @returns         The exit code.
 * @throws          {CliError} when something does not start.
 */
export async function start(context: CommandContext, stopping: AbortSignal): Promise<number> {
  const { root, print } = context;
  if (await makeEnvFile(root)) print('Made .env with a random webhook secret and a random dashboard password.');
  const env = await readEnvFile(root, context.env);
  const before = await claimRoot(root);
  const up: Up = { apps: [], services: [] };
  try {
    await checkPorts(env, before === 'killed' ? LEFT_OVER_MS + longestDrainMs(env) : 0);
    await bringUp({ ...context, env }, up, stopping);
    print(summary(env));
    if (!stopping.aborted) await once(stopping, 'abort');
  } catch (error) {
    if (!stopping.aborted) throw error;
  } finally {
    print('Stopping …');
    await takeDown(up, longestDrainMs(env));
    await clearServices(root);
  }
  print('Stopped. The data is in .data for the next start.');
  return 0;
}

async function bringUp({ root, env, print }: CommandContext, up: Up, stopping: AbortSignal): Promise<void> {
  const started = (service: Up['services'][number]): void => void up.services.push(service);
  const urls = await startServices({ root, env, print, started });
  stopping.throwIfAborted();
  await writeServices(root, { pid: process.pid, ...urls });
  const { applied } = await migrate(migrationUrl(urls.databaseUrl, urls.directUrl)).catch(refuse);
  if (applied.length > 0) print(`Brought the tables up to date: ${applied.join(', ')}.`);
  const appEnv = {
    ...env,
    ...withoutFiles({
      DATABASE_URL: urls.databaseUrl,
      // The tables are up to date: no app needs to change one.
      DIRECT_URL: '',
      READER_DATABASE_URL: urls.readerDatabaseUrl,
      REDIS_URL: urls.redisUrl,
    }),
    // Set to nothing it is off, and stays so.
    JOURNAL_DIR: env['JOURNAL_DIR'] ?? journalFolder(root),
  };
  for (const app of APPS) {
    stopping.throwIfAborted();
    const restart = () => startApp(root, app, appEnv);
    const first = restart();
    up.apps.push({ name: app.name, stop: first.stop });
    await waitUntilReady(app, first, { env: appEnv, stopping });
    up.apps.pop();
    up.apps.push({ name: app.name, ...keepRunning({ name: `The ${app.name}`, first, restart, print }) });
  }
}

/** What was read by now, from a variable or from a file, is handed on as a variable alone: both would be an error. */
function withoutFiles(variables: Environment): Environment {
  return { ...Object.fromEntries(Object.keys(variables).map((name) => [`${name}_FILE`, undefined])), ...variables };
}

function longestDrainMs(env: Environment): number {
  return Math.max(...APPS.map((app) => drainMs(app, env)));
}

function refuse(cause: unknown): never {
  const why = cause instanceof Error ? cause.message.trim() : String(cause);
  throw new CliError(
    'configuration_invalid',
    `The database is not ready: ${why.replace(/\.$/, '')}. If it is yours, check DATABASE_URL and DIRECT_URL.`,
    {
      cause,
    },
  );
}

/** Stops the way of the data from its mouth to its end. */
async function takeDown({ apps, services }: Up, serveOnMs: number): Promise<void> {
  const stop = (chosen: Up['apps']) => Promise.all(chosen.map((app) => app.stop()));
  const receiver = stop(apps.filter(({ name }) => name === 'receiver'));
  await Promise.race([receiver, wait(RECEIVER_HEAD_START_MS + serveOnMs, undefined, { ref: false })]);
  await Promise.all([receiver, stop(apps.filter(({ name }) => name !== 'receiver'))]);
  await Promise.all(services.map((service) => service.stop()));
}

function summary(env: Environment): string {
  const address = (name: App['name']): string =>
    APPS.filter((app) => app.name === name)
      .map((app) => addressOf(app, env))
      .join('');
  return `
Landline is up.

  Webhooks    ${address('receiver')}/api/elevenlabs/webhook
  Dashboard   ${address('dashboard')}   user ${env['DASHBOARD_USER'] || 'admin'}, password: DASHBOARD_PASSWORD in .env
  Secret      ELEVENLABS_WEBHOOK_SECRET in .env

Send a signed event:  npm run landline -- send conversation.started
See the rows:         npm run landline -- sql "SELECT * FROM conversations ORDER BY started_at DESC LIMIT 10"
Stop:                 Ctrl-C
`;
}
