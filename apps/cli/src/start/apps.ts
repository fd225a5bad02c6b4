import type { Environment } from './env-file.ts';

/** One of the processes that `npm start` runs beside the servers. */
export interface App {
  name: 'receiver' | 'worker' | 'dashboard' | 'initiation';
  /** The variables that it reads: it is given these, and `<NAME>_FILE` of them, and no others. The receiver has no DATABASE_URL on purpose. */
  variables: readonly string[];
  /** Variables that it is given only where another one is not set: the other one by their name. */
  unless?: Readonly<Record<string, string>>;
  /** Options of Node's own. */
  nodeOptions?: readonly string[];
  /** What it is given whatever the environment says. */
  fixed?: Readonly<Record<string, string>>;
  /** What it is given unless the environment says otherwise. */
  defaults?: Readonly<Record<string, string>>;
  /** The port that it serves on, and that of its health where this is another. */
  portVariable: string;
  defaultPort: number;
  healthPort?: { variable: string; default: number };
  /** Path to ask whether it is ready, and the answer that says so. */
  ready: { path: string; status: number };
}

// Only ElevenLabs comes from outside. HOST opens the receiver and the initiation, and must not open the rest along with them.
const LOOPBACK = { HOST: '127.0.0.1' };

/**
 * The worker's, also in docker-compose.yml. What is parsed lives until its transaction ends. The 16 MB that Node has for each half of
 * its young objects are full before that: all was copied, and copied again. With 64 MB a worker on two cores applies 1.13 times as
 * much, and its process may grow by 150 MB.
 */
export const WORKER_NODE_OPTIONS: readonly string[] = ['--max-semi-space-size=64'];

/** Takes webhooks. It starts before all other apps, and its faults alone end `npm start`. */
export const RECEIVER: App = {
  name: 'receiver',
  variables: [
    'ELEVENLABS_WEBHOOK_SECRET',
    'REDIS_URL',
    'LOG_LEVEL',
    'BATCH_MAX_EVENTS',
    'BATCH_MAX_BYTES',
    'ENQUEUE_TIMEOUT_MS',
    'JOURNAL_DIR',
    'JOURNAL_LIMIT_BYTES',
    'JOURNAL_RETENTION_HOURS',
    'CANARY_INTERVAL_SECONDS',
    'SIGNATURE_TOLERANCE_SECONDS',
    'PORT',
    'HOST',
    'HEALTH_PORT',
    'HEALTH_HOST',
    'BODY_LIMIT_BYTES',
    'REQUEST_TIMEOUT_MS',
    'KEEP_ALIVE_TIMEOUT_MS',
    'MAX_CONNECTIONS',
    'DRAIN_SECONDS',
  ],
  // No balancer stands in front of it that would have to notice.
  defaults: { DRAIN_SECONDS: '0' },
  portVariable: 'PORT',
  defaultPort: 3000,
  healthPort: { variable: 'HEALTH_PORT', default: 3004 },
  ready: { path: '/health/ready', status: 200 },
};

/** Applies what was received. */
export const WORKER: App = {
  name: 'worker',
  nodeOptions: WORKER_NODE_OPTIONS,
  variables: [
    'DATABASE_URL',
    'DIRECT_URL',
    'PGPASSWORD',
    'PGSSLMODE',
    'REDIS_URL',
    'LOG_LEVEL',
    'WORKER_PORT',
    'WORKER_CONCURRENCY',
  ],
  fixed: LOOPBACK,
  portVariable: 'WORKER_PORT',
  defaultPort: 3002,
  ready: { path: '/health/ready', status: 200 },
};

/** Shows what failed. */
export const DASHBOARD: App = {
  name: 'dashboard',
  variables: ['REDIS_URL', 'LOG_LEVEL', 'DASHBOARD_PORT', 'DASHBOARD_USER', 'DASHBOARD_PASSWORD'],
  fixed: LOOPBACK,
  portVariable: 'DASHBOARD_PORT',
  defaultPort: 3001,
  ready: { path: '/', status: 401 },
};

/** Tells ElevenLabs who is calling. */
export const INITIATION: App = {
  name: 'initiation',
  variables: [
    'INITIATION_PORT',
    'INITIATION_TOKEN',
    'INITIATION_DEFAULTS',
    'READER_DATABASE_URL',
    'DATABASE_URL',
    'PGPASSWORD',
    'PGSSLMODE',
    'REDIS_URL',
    'HOST',
    'LOG_LEVEL',
  ],
  // It only reads: where there is a role that can do nothing else, it needs no other.
  unless: { DATABASE_URL: 'READER_DATABASE_URL' },
  // As the receiver's own: ElevenLabs calls both.
  defaults: { HOST: '0.0.0.0' },
  portVariable: 'INITIATION_PORT',
  defaultPort: 3003,
  ready: { path: '/health/ready', status: 200 },
};

/** All apps. */
export const APPS: readonly App[] = [RECEIVER, WORKER, DASHBOARD, INITIATION];

// What Node and a terminal's colours need, whatever the app.
const SYSTEM_VARIABLES = `
  PATH HOME TZ LANG TERM COLORTERM NO_COLOR FORCE_COLOR TMPDIR
  NODE_ENV NODE_OPTIONS NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR
`
  .trim()
  .split(/\s+/);

const ANY_ADDRESS = ['', '0.0.0.0', '::'];

/** Picks what `app` sees of `env`. The file of a secret goes on as its path: the app itself reads it. */
export function environmentOf(app: App, env: Environment): Record<string, string> {
  const isSet = (name: string) => Boolean(env[name] || env[`${name}_FILE`]);
  const own = app.variables.filter((name) => {
    const other = app.unless?.[name];
    return other === undefined || !isSet(other);
  });
  const names = [...SYSTEM_VARIABLES, ...own, ...own.map((name) => `${name}_FILE`)];
  const given = names.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value]];
  });
  // An empty one counts as not set.
  const chosen = Object.entries(app.defaults ?? {}).filter(([name]) => !env[name]);
  return { ...Object.fromEntries(given), ...Object.fromEntries(chosen), ...app.fixed };
}

/** The port that `app` serves on; what is no number is left for the app itself to refuse. */
export function portOf(app: App, env: Environment): number {
  return Number(env[app.portVariable] || app.defaultPort);
}

/** Every port that `app` listens on, by the variable that changes it. */
export function portsOf(app: App, env: Environment): { variable: string; port: number }[] {
  const { healthPort } = app;
  const own = { variable: app.portVariable, port: portOf(app, env) };
  if (healthPort === undefined) return [own];
  return [own, { variable: healthPort.variable, port: Number(env[healthPort.variable] || healthPort.default) }];
}

/** How long `app` goes on serving before it stops, in ms; what is no number is left for the app itself to refuse. */
export function drainMs(app: App, env: Environment): number {
  return (Number(environmentOf(app, env)['DRAIN_SECONDS']) || 0) * 1000;
}

/** Where `app` is reached from this machine, without a slash at the end. */
export function addressOf(app: App, env: Environment): string {
  const host = app.variables.includes('HOST') ? env['HOST'] : undefined;
  const reachable = host === undefined || ANY_ADDRESS.includes(host) ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${portOf(app, env)}`;
}
