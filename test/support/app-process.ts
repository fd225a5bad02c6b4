import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StartedProcess } from '@landline/local-servers';
import { startNode, type NodeProgram } from './node-process.ts';
import { isReady } from './post.ts';
import { ROOT } from './root.ts';
import { untilSeen } from './until-seen.ts';

/** An app that runs as a process of its own, from its build. */
export interface AppProcess extends StartedProcess {
  /** Where it listens, without a slash at the end. */
  url: string;
  /** The origin of the app's health and metrics; the receiver has a port of its own for them. */
  healthUrl: string;
}

/** How to start an app. By default it listens on a free port. `startApp` reads the address from the log, so LOG_LEVEL must be info. */
export type AppProcessOptions = Omit<NodeProgram, 'script'>;

/** Events of tests may say that they were received long ago, and are not to go by their age. */
const KEPT = { BODY_RETENTION_DAYS: '36500', LEDGER_RETENTION_DAYS: '36500', REJECTED_RETENTION_DAYS: '36500' };

/** Variables for tests: any free port, and a receiver that does not wait for a balancer. */
const DEFAULTS: Readonly<Record<AppName, Readonly<Record<string, string>>>> = {
  receiver: { PORT: '0', HEALTH_PORT: '0', DRAIN_SECONDS: '0' },
  worker: { WORKER_PORT: '0', ...KEPT },
  dashboard: { DASHBOARD_PORT: '0' },
  initiation: { INITIATION_PORT: '0' },
  monitor: { MONITOR: 'on', MONITOR_PORT: '0' },
};

type AppName = 'receiver' | 'worker' | 'dashboard' | 'initiation' | 'monitor';

/** Starts an app and does not wait for it: it may refuse to start. It ends with the test run, however that ends. */
export function spawnApp(app: AppName, { env, ...options }: AppProcessOptions): Promise<StartedProcess> {
  const script = join(ROOT, 'apps', app, 'dist', 'main.js');
  const own = app === 'receiver' ? receiverDefaults(env) : {};
  return startNode({ script, env: { HOST: '127.0.0.1', ...DEFAULTS[app], ...own, ...env }, ...options });
}

/** Variables for a receiver of a test, as far as the test does not set them. */
function receiverDefaults(env: Readonly<Record<string, string>>): Record<string, string> {
  return {
    ...(env['SPOOL_DIR'] === undefined && { SPOOL_DIR: makeSpoolFolder() }),
    // Without a journal an event is answered 503 when Redis takes longer. A busy machine's disk may take longer than the second of the default.
    ...(!env['JOURNAL_DIR'] && { ENQUEUE_TIMEOUT_MS: '10000' }),
  };
}

/** Makes a folder for the spool of one receiver, which is removed when the test run ends: no other receiver takes it over. */
function makeSpoolFolder(): string {
  if (spoolFolders.length === 0) process.once('exit', removeSpoolFolders);
  const folder = mkdtempSync(join(tmpdir(), 'landline-spool-'));
  spoolFolders.push(folder);
  return folder;
}

const spoolFolders: string[] = [];

function removeSpoolFolders(): void {
  for (const folder of spoolFolders) rmSync(folder, { recursive: true, force: true });
}

/** Waits until an app takes requests: on a busy machine a receiver may listen before Redis has answered it, and answers 503 until then. */
export function untilReady({ healthUrl }: Pick<AppProcess, 'healthUrl'>): Promise<void> {
  return untilSeen('the app is ready', () => isReady(healthUrl));
}

/** Starts an app and waits until it listens. Throws with the app's output when it ends before. */
export async function startApp(app: AppName, options: AppProcessOptions): Promise<AppProcess> {
  const spawned = await spawnApp(app, options);
  const urls = await spawned.until(() => {
    const found = [...spawned.output().matchAll(/(Health and metrics on )?(http:\/\/[\d.]+:\d+)/g)];
    const healthUrl = found.find(([, isHealth]) => isHealth !== undefined)?.[2];
    const url = found.find(([, isHealth]) => isHealth === undefined)?.[2];
    // The receiver has two.
    if (app === 'receiver') return url !== undefined && healthUrl !== undefined && { url, healthUrl };
    const only = url ?? healthUrl;
    return only !== undefined && { url: only, healthUrl: only };
  });
  return { ...spawned, ...urls };
}
