import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { CommandContext } from '../command-context.ts';
import { type App, APPS, DASHBOARD, drainMs, INITIATION, RECEIVER, WORKER } from './apps.ts';
import { checkPorts } from './check-ports.ts';
import { type Environment, makeEnvFile, readEnvFile } from './env-file.ts';
import { journalFolder } from './journal-folder.ts';
import { keepApp, type KeepAppOptions, type KeptApp } from './keep-app.ts';
import { bringTablesUpToDate } from './bring-tables-up-to-date.ts';
import { clearServices, claimRoot, writeServices } from './services-file.ts';
import { startReceiver } from './start-receiver.ts';
import { findServices } from './find-services.ts';
import { summary } from './summary.ts';

/** How long the receiver stops alone, beside its DRAIN_SECONDS: what it has accepted is with Redis before the worker goes. */
const RECEIVER_HEAD_START_MS = 2_000;

/** Apps whose supervisor was killed drain and end by themselves; within this time and DRAIN_SECONDS, as at SIGTERM. */
const LEFT_OVER_MS = 12_000;

/** What runs and is to be stopped. */
interface Up {
  apps: Map<App['name'], { stop: () => Promise<void> }>;
  services: { stop: () => Promise<void> }[];
}

/** What bringing everything up takes beside the command's context. */
interface BringUpOptions {
  up: Up;
  /** Aborts when everything is to be stopped. */
  leaving: AbortSignal;
  /** How long ports may be taken at first, in ms. */
  portsWithinMs: number;
}

/**
 * Runs everything on this machine until it is asked to stop: the servers that are not given, and the apps. The receiver starts first and
 * waits for no other app and for no server that is given; what is not up is told of and tried again. Whatever happens, nothing that it
 * started is left running.
 *
 * @param stopping  Aborts when it is asked to stop.
 * @returns         The exit code.
 * @throws          {LocalServerError, CliError} when a server of ours, or the receiver, does not start.
 */
export async function start(context: CommandContext, stopping: AbortSignal): Promise<number> {
  const { root, print } = context;
  if (await makeEnvFile(root)) {
    print('Made .env with a random webhook secret, a random dashboard password and a random initiation token.');
  }
  const env = await readEnvFile(root, context.env);
  const before = await claimRoot(root);
  const portsWithinMs = before === 'killed' ? LEFT_OVER_MS + longestDrainMs(env) : 0;
  const up: Up = { apps: new Map(), services: [] };
  const failed = new AbortController();
  const leaving = AbortSignal.any([stopping, failed.signal]);
  try {
    const apps = await bringUp({ ...context, env }, { up, leaving, portsWithinMs });
    print(summary(env, apps));
    for (const app of apps) if (app.fault() !== undefined) app.tell();
    if (!stopping.aborted) await once(stopping, 'abort');
  } catch (error) {
    if (!stopping.aborted) throw error;
  } finally {
    failed.abort();
    print('Stopping …');
    await takeDown(up, longestDrainMs(env));
    await clearServices(root);
  }
  print('Stopped. The data is in .data for the next start.');
  return 0;
}

/** Starts everything. Answers when the receiver is up, and of each other app is known whether it is. */
async function bringUp(context: CommandContext, { up, leaving, portsWithinMs }: BringUpOptions): Promise<KeptApp[]> {
  const { root, env, print } = context;
  await checkPorts(RECEIVER, env, { withinMs: portsWithinMs, leaving });
  const services = findServices({ root, env, print, started: (service) => void up.services.push(service) });
  const redisUrl = await services.redisUrl();
  leaving.throwIfAborted();
  const common = { root, print, leaving };
  const keep = (app: App, options: Pick<KeepAppOptions, 'env' | 'after'>): KeptApp => {
    const kept = keepApp(app, { ...common, portsWithinMs, ...options });
    up.apps.set(app.name, kept);
    return kept;
  };

  // Set to nothing the journal is off, and stays so.
  const withRedis = withoutFiles(env, { REDIS_URL: redisUrl, JOURNAL_DIR: env['JOURNAL_DIR'] ?? journalFolder(root) });
  const receiver = await startReceiver({
    ...common,
    env: withRedis,
    started: (first) => void up.apps.set('receiver', first),
  });
  up.apps.set('receiver', receiver);
  const dashboard = keep(DASHBOARD, { env: withRedis });
  const urls = await services.database();
  leaving.throwIfAborted();
  await writeServices(root, { pid: process.pid, ...urls, redisUrl }).catch((error: unknown) =>
    print(
      `The commands sql and migrate will not find this database: ${String(error)}. Free the disk of .data and start again.`,
    ),
  );
  const tables = bringTablesUpToDate({ ...urls, print, leaving });
  const withAll = withoutFiles(withRedis, {
    DATABASE_URL: urls.databaseUrl,
    // The tables are up to date before the worker starts: no app needs to change one.
    DIRECT_URL: '',
    ...(urls.readerDatabaseUrl !== undefined && { READER_DATABASE_URL: urls.readerDatabaseUrl }),
  });
  const initiation = keep(INITIATION, { env: withAll });
  const worker = keep(WORKER, { env: withAll, after: tables });
  const apps = [receiver, worker, dashboard, initiation];
  await Promise.all(apps.map(({ settled }) => settled));
  leaving.throwIfAborted();
  return apps;
}

/** What was read by now, from a variable or from a file, is handed on as a variable alone: both would be an error. */
function withoutFiles(env: Environment, read: Environment): Environment {
  return { ...env, ...Object.fromEntries(Object.keys(read).map((name) => [`${name}_FILE`, undefined])), ...read };
}

function longestDrainMs(env: Environment): number {
  return Math.max(...APPS.map((app) => drainMs(app, env)));
}

/** Stops the way of the data from its mouth to its end. */
async function takeDown({ apps, services }: Up, serveOnMs: number): Promise<void> {
  const others = [...apps].flatMap(([name, app]) => (name === 'receiver' ? [] : [app]));
  const receiver = Promise.resolve(apps.get('receiver')?.stop());
  await Promise.race([
    Promise.allSettled([receiver]),
    wait(RECEIVER_HEAD_START_MS + serveOnMs, undefined, { ref: false }),
  ]);
  // Each is stopped, whatever becomes of the others.
  const stopped = await Promise.allSettled([receiver, ...others.map((app) => app.stop())]);
  stopped.push(...(await Promise.allSettled(services.map((service) => service.stop()))));
  const failed = stopped.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
