import { dirname, join } from 'node:path';
import { SECRET } from '../support/post.ts';
import { createApp, type App } from './app.ts';
import type { Clocks } from './clocks.ts';
import type { Link, Links } from './link.ts';

/** How old a signature may be, in seconds: of a sender that is a step behind, for a receiver that is a step ahead, and a bit more. */
const TOLERANCE_SECONDS = 7 * 3600;

/** How much the journal may hold, in bytes: so little that its oldest files go in an hour. */
const JOURNAL_LIMIT_BYTES = 512 * 1024 * 1024;

export interface AppsOptions {
  folder: string;
  links: Links;
  /** By an app's own link to Redis, where there is one. */
  redisUrl: (link: Link | undefined) => string;
  /** Of the server itself; each worker goes through its own link. */
  postgresUrl: string;
  journalDir: string;
  spoolDir: string;
  /** RECORDINGS_URL, and the credentials. */
  storageEnv: (link: Link | undefined) => Readonly<Record<string, string>>;
  /** Of each receiver its two, and of each worker its own. */
  ports: Readonly<Record<'receivers' | 'health' | 'workers', readonly number[]>>;
  clocks: Clocks | { reason: string };
}

/** Makes all receivers and workers; none is started. */
export async function createApps(options: AppsOptions): Promise<{ receivers: App[]; workers: App[] }> {
  const { folder, links, redisUrl, postgresUrl, journalDir, spoolDir, storageEnv, ports, clocks } = options;
  const clockOf = async (name: string) => ('set' in clocks ? clocks.environmentOf(name) : {});
  const logOf = (name: string) => join(dirname(folder), `faults-${name.replace(' ', '-')}.log`);

  async function receiver(port: number, i: number): Promise<App> {
    const [name, healthPort] = [`receiver ${i + 1}`, ports.health[i] ?? 0];
    const env = {
      ...(await clockOf(name)),
      PORT: String(port),
      HEALTH_PORT: String(healthPort),
      ELEVENLABS_WEBHOOK_SECRET: SECRET,
      SIGNATURE_TOLERANCE_SECONDS: String(TOLERANCE_SECONDS),
      REDIS_URL: redisUrl(links['receiver-Redis'][i]),
      JOURNAL_DIR: journalDir,
      SPOOL_DIR: spoolDir,
      ...storageEnv(links['receiver-storage'][i]),
      JOURNAL_LIMIT_BYTES: String(JOURNAL_LIMIT_BYTES),
      // As long as the sender needs to see that it leaves.
      DRAIN_SECONDS: '2',
      LOG_LEVEL: 'warn',
    };
    return createApp({ name, app: 'receiver', port, healthPort, env, logFile: logOf(name) });
  }

  async function worker(port: number, i: number): Promise<App> {
    const name = `worker ${i + 1}`;
    const env = {
      ...(await clockOf(name)),
      WORKER_PORT: String(port),
      REDIS_URL: redisUrl(links['worker-Redis'][i]),
      DATABASE_URL: throughLink(links['worker-Postgres'][i], postgresUrl),
      LOG_LEVEL: 'warn',
    };
    return createApp({ name, app: 'worker', port, healthPort: port, env, logFile: logOf(name) });
  }

  return {
    receivers: await Promise.all(ports.receivers.map(receiver)),
    workers: await Promise.all(ports.workers.map(worker)),
  };
}

/** The same URL by way of a link. */
export function throughLink(link: Link | undefined, url: string): string {
  const changed = new URL(url);
  changed.port = String(link?.port ?? 0);
  return changed.href;
}
