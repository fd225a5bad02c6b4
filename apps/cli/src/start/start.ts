import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { CommandContext } from '../command-context.ts';
import { WEBHOOK_PATH } from '@landline/webhook';
import { addressOf, type App, APPS, DASHBOARD, drainMs, INITIATION, MONITOR, RECEIVER, WORKER } from './apps.ts';
import { monitorState } from './monitor-state.ts';
import { checkPorts } from './check-ports.ts';
import { type Environment, makeEnvFile, readEnvFile } from './env-file.ts';
import { journalFolder, recordingsUrl, spoolFolder } from './data-folders.ts';
import { keepApp, type KeepAppOptions, type KeptApp } from './keep-app.ts';
import { bringTablesUpToDate } from './bring-tables-up-to-date.ts';
import { clearServices, claimRoot, writeServices } from './services-file.ts';
import { startReceiver } from './start-receiver.ts';
import { type Database, findServices } from './find-services.ts';
import { summary } from './summary.ts';

/**
 * How long the receiver has for stopping before the other apps stop, beside its DRAIN_SECONDS, in ms. In this time it hands the events that
 * it has accepted to Redis. With less, the worker would be gone before it can apply them.
 */
const RECEIVER_HEAD_START_MS = 2_000;

/** How long the apps of a killed `npm start` may hold their ports, beside DRAIN_SECONDS, in ms. They end by themselves, as at SIGTERM. */
const LEFT_OVER_MS = 12_000;

/** The apps and servers that run and must be stopped. */
interface Up {
  apps: Map<App['name'], { stop: () => Promise<void> }>;
  services: { stop: () => Promise<void> }[];
}

/** The options of bringing everything up, beside the command's context. */
interface BringUpOptions {
  up: Up;
  /** Aborts when everything is to be stopped. */
  leaving: AbortSignal;
  /** How long to wait for ports that are taken at the first start, in ms. */
  portsWithinMs: number;
}

/**
 * `npm start`: runs everything on this machine until `stopping` aborts: the apps, and the servers that the environment does not name.
 *
 * - The receiver starts first. It waits for no other app, and for no server that the environment names.
 * - An app that is not up is reported and started again.
 * - Every process that this function has started is stopped before it returns or throws.
 *
 * @param stopping  Aborts at a request to stop.
 * @returns         The exit code 0.
 * @throws          {LocalServerError, CliError} when a server of this machine, or the receiver, does not start.
 */
export async function start(context: CommandContext, stopping: AbortSignal): Promise<number> {
  const { root, print } = context;
  if (await makeEnvFile(root)) {
    print('Made .env with a random webhook secret, a random dashboard password and random tokens.');
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
    for (const app of apps) if (app.fault() !== undefined) app.noteReported();
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

/** Starts everything. Resolves when the receiver is up, and each other app is up or has shown a fault. */
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

  // An empty JOURNAL_DIR switches the journal off, so it is handed on as it is.
  // An empty RECORDINGS_URL: recordings are not kept.
  const withRedis = withoutFiles(env, {
    REDIS_URL: redisUrl,
    JOURNAL_DIR: env['JOURNAL_DIR'] ?? journalFolder(root),
    SPOOL_DIR: env['SPOOL_DIR'] || spoolFolder(root),
    RECORDINGS_URL: env['RECORDINGS_URL'] ?? recordingsUrl(root),
  });
  const receiver = await startReceiver({
    ...common,
    env: withRedis,
    started: (first) => void up.apps.set('receiver', first),
  });
  up.apps.set('receiver', receiver);
  const urls = await services.database();
  leaving.throwIfAborted();
  await noteServices(context, { ...urls, redisUrl });
  const tables = bringTablesUpToDate({ ...urls, print, leaving });
  const withAll = withDatabase(withRedis, urls);
  const dashboard = keep(DASHBOARD, { env: withAll });
  const initiation = keep(INITIATION, { env: withAll });
  const worker = keep(WORKER, { env: withAll, after: tables });
  const monitor = monitorState(env) === 'on' ? [keep(MONITOR, { env: withWebhook(env) })] : [];
  const apps = [receiver, worker, dashboard, initiation, ...monitor];
  await Promise.all(apps.map(({ settled }) => settled));
  leaving.throwIfAborted();
  return apps;
}

/** Notes the servers for the other commands. Where that fails, it prints the fault: the apps need no such note. */
async function noteServices({ root, print }: CommandContext, urls: Database & { redisUrl: string }): Promise<void> {
  await writeServices(root, { pid: process.pid, ...urls }).catch((error: unknown) =>
    print(
      `The commands sql and migrate will not find this database: ${String(error)}. Free the disk of .data and start again.`,
    ),
  );
}

/** Adds the URLs of the database to the environment of the apps. */
function withDatabase(env: Environment, { databaseUrl, readerDatabaseUrl }: Database): Environment {
  return withoutFiles(env, {
    DATABASE_URL: databaseUrl,
    // The tables are up to date before the worker starts, so no app needs the right to change a table.
    DIRECT_URL: '',
    ...(readerDatabaseUrl !== undefined && { READER_DATABASE_URL: readerDatabaseUrl }),
  });
}

/** Adds the address of the receiver's webhook, where the environment names no other. */
function withWebhook(env: Environment): Environment {
  return { ...env, MONITOR_WEBHOOK_URL: env['MONITOR_WEBHOOK_URL'] || `${addressOf(RECEIVER, env)}${WEBHOOK_PATH}` };
}

/** Adds `read` to `env`, and removes `<NAME>_FILE` of each variable in it: an app refuses a secret that both forms name. */
function withoutFiles(env: Environment, read: Environment): Environment {
  return { ...env, ...Object.fromEntries(Object.keys(read).map((name) => [`${name}_FILE`, undefined])), ...read };
}

function longestDrainMs(env: Environment): number {
  return Math.max(...APPS.map((app) => drainMs(app, env)));
}

/** Stops everything in the order of the data: the receiver, then the other apps, then the servers. @throws The first fault. */
async function takeDown({ apps, services }: Up, serveOnMs: number): Promise<void> {
  const others = [...apps].flatMap(([name, app]) => (name === 'receiver' ? [] : [app]));
  const receiver = Promise.resolve(apps.get('receiver')?.stop());
  await Promise.race([
    Promise.allSettled([receiver]),
    wait(RECEIVER_HEAD_START_MS + serveOnMs, undefined, { ref: false }),
  ]);
  // All apps and servers are stopped, also where stopping another one fails.
  const stopped = await Promise.allSettled([receiver, ...others.map((app) => app.stop())]);
  stopped.push(...(await Promise.allSettled(services.map((service) => service.stop()))));
  const failed = stopped.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
