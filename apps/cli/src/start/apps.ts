import type { Environment } from './env-file.ts';

/** An app: one of the processes that `npm start` runs beside the servers. */
export interface App {
  name: 'receiver' | 'worker' | 'dashboard' | 'initiation' | 'monitor';
  /** The app gets these variables, and `<NAME>_FILE` of each, and no others. The receiver has no DATABASE_URL on purpose. */
  variables: readonly string[];
  /** The app gets the variable of the key only where the variable of the value is not set. */
  unless?: Readonly<Record<string, string>>;
  /** Command-line options of Node. */
  nodeOptions?: readonly string[];
  /** Values that the app gets in any case: they replace those of the environment. */
  fixed?: Readonly<Record<string, string>>;
  /** Values that the app gets where the environment has none. */
  defaults?: Readonly<Record<string, string>>;
  /** The variable of the port that the app serves on, and below it the variable of its health port, where that is another port. */
  portVariable: string;
  defaultPort: number;
  healthPort?: { variable: string; default: number };
  /** The path of the app's readiness, and the status of a ready app. */
  ready: { path: string; status: number };
}

// ElevenLabs calls only the receiver and the initiation. HOST opens these two to the network, and must not open the other apps.
const LOOPBACK = { HOST: '127.0.0.1' };

/**
 * Options of Node for the worker; docker-compose.yml has the same. A parsed event lives until its transaction ends. Node's default of
 * 16 MB for each half of the young objects is full before that, and Node copies every object twice. With 64 MB a worker on two cores
 * applies 1.13 times as much, and its process may grow by 150 MB.
 */
export const WORKER_NODE_OPTIONS: readonly string[] = ['--max-semi-space-size=64'];

/** What the library for S3 reads by itself: credentials, the region, and where to ask for them. */
const AWS_VARIABLES = `
  AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE AWS_CONFIG_FILE
  AWS_SHARED_CREDENTIALS_FILE AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
  AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
`
  .trim()
  .split(/\s+/);

const QUEUE_VARIABLES = ['REDIS_URL', 'REDIS_CA', 'QUEUE_SHARDS'];

/** Where an app finds the database that it only reads. */
const READER_VARIABLES = ['READER_DATABASE_URL', 'DATABASE_URL', 'PGPASSWORD', 'PGSSLMODE'];

/** An app that only reads needs no other role where READER_DATABASE_URL names one that can only read. */
const READER_INSTEAD = { DATABASE_URL: 'READER_DATABASE_URL' };

/** The receiver takes webhooks. It starts before all other apps. Where it does not start, `npm start` ends. */
export const RECEIVER: App = {
  name: 'receiver',
  variables: [
    'ELEVENLABS_WEBHOOK_SECRET',
    ...QUEUE_VARIABLES,
    'LOG_LEVEL',
    'BATCH_MAX_EVENTS',
    'BATCH_MAX_BYTES',
    'ENQUEUE_TIMEOUT_MS',
    'JOURNAL_DIR',
    'JOURNAL_LIMIT_BYTES',
    'JOURNAL_RETENTION_HOURS',
    'SPOOL_DIR',
    'SPOOL_LIMIT_BYTES',
    'RECORDINGS_URL',
    ...AWS_VARIABLES,
    'CANARY_INTERVAL_SECONDS',
    'SIGNATURE_TOLERANCE_SECONDS',
    'PORT',
    'HOST',
    'HEALTH_PORT',
    'HEALTH_HOST',
    'BODY_LIMIT_BYTES',
    'REQUEST_TIMEOUT_MS',
    'MIN_BYTES_PER_SECOND',
    'KEEP_ALIVE_TIMEOUT_MS',
    'MAX_CONNECTIONS',
    'DRAIN_SECONDS',
  ],
  // A drain lets a load balancer notice that the receiver leaves. `npm start` has no load balancer.
  defaults: { DRAIN_SECONDS: '0' },
  portVariable: 'PORT',
  defaultPort: 3000,
  healthPort: { variable: 'HEALTH_PORT', default: 3004 },
  ready: { path: '/health/ready', status: 200 },
};

/** The worker applies events to the tables. */
export const WORKER: App = {
  name: 'worker',
  nodeOptions: WORKER_NODE_OPTIONS,
  variables: [
    'DATABASE_URL',
    'DIRECT_URL',
    'PGPASSWORD',
    'PGSSLMODE',
    ...QUEUE_VARIABLES,
    'LOG_LEVEL',
    'WORKER_PORT',
    'WORKER_CONCURRENCY',
    'BODY_RETENTION_DAYS',
    'LEDGER_RETENTION_DAYS',
    'REJECTED_RETENTION_DAYS',
    'CONVERSATION_RETENTION_DAYS',
    'RECORDING_RETENTION_DAYS',
    'ELEVENLABS_WEBHOOK_SECRET',
    'SIGNATURE_TOLERANCE_SECONDS',
    // It removes the recordings of what is forgotten, and keeps the audio that it fetches.
    'RECORDINGS_URL',
    ...AWS_VARIABLES,
    // It compares the conversations with the provider's, and fetches what never came.
    'ELEVENLABS_API_KEY',
    'ELEVENLABS_API_URL',
    'PUBLIC_URL',
    'RECONCILE_INTERVAL_MINUTES',
    'RECONCILE_WINDOW_HOURS',
    'SPOOL_DIR',
    'SPOOL_LIMIT_BYTES',
    'BODY_LIMIT_BYTES',
  ],
  fixed: LOOPBACK,
  portVariable: 'WORKER_PORT',
  defaultPort: 3002,
  ready: { path: '/health/ready', status: 200 },
};

/** The dashboard shows the line, its calls and its failures. It only reads: a worker does what somebody asks for there. */
export const DASHBOARD: App = {
  name: 'dashboard',
  variables: [
    ...QUEUE_VARIABLES,
    'LOG_LEVEL',
    'DASHBOARD_PORT',
    'DASHBOARD_USER',
    'DASHBOARD_PASSWORD',
    'API_TOKEN',
    ...READER_VARIABLES,
    // It plays recordings.
    'RECORDINGS_URL',
    ...AWS_VARIABLES,
    // It tells until when journals have what was forgotten.
    'JOURNAL_RETENTION_HOURS',
  ],
  unless: READER_INSTEAD,
  fixed: LOOPBACK,
  portVariable: 'DASHBOARD_PORT',
  defaultPort: 3001,
  ready: { path: '/', status: 401 },
};

/** The initiation answers ElevenLabs who is calling. */
export const INITIATION: App = {
  name: 'initiation',
  variables: [
    'INITIATION_PORT',
    'INITIATION_TOKEN',
    'INITIATION_DEFAULTS',
    ...READER_VARIABLES,
    ...QUEUE_VARIABLES,
    'HOST',
    'LOG_LEVEL',
  ],
  unless: READER_INSTEAD,
  // The receiver has the same default: ElevenLabs calls both.
  defaults: { HOST: '0.0.0.0' },
  portVariable: 'INITIATION_PORT',
  defaultPort: 3003,
  ready: { path: '/health/ready', status: 200 },
};

/** The monitor follows running calls at ElevenLabs, and sends their events to the receiver. It runs only where `monitorState` answers `on`. */
export const MONITOR: App = {
  name: 'monitor',
  variables: [
    'MONITOR',
    'MONITOR_PORT',
    'MONITOR_WEBHOOK_URL',
    'PORT',
    'ELEVENLABS_API_KEY',
    'ELEVENLABS_API_URL',
    'ELEVENLABS_WEBHOOK_SECRET',
    'LOG_LEVEL',
  ],
  fixed: LOOPBACK,
  portVariable: 'MONITOR_PORT',
  defaultPort: 3005,
  ready: { path: '/health/ready', status: 200 },
};

/** All apps. */
export const APPS: readonly App[] = [RECEIVER, WORKER, DASHBOARD, INITIATION, MONITOR];

// Every app gets these variables: Node and the colours of a terminal need them.
const SYSTEM_VARIABLES = `
  PATH HOME TZ LANG TERM COLORTERM NO_COLOR FORCE_COLOR TMPDIR
  NODE_ENV NODE_OPTIONS NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR
`
  .trim()
  .split(/\s+/);

/** So begin the variables of an OpenTelemetry SDK, which a user loads by NODE_OPTIONS: there are some hundred of them. */
const SDK_PREFIX = 'OTEL_';

const ANY_ADDRESS = ['', '0.0.0.0', '::'];

/** Makes the environment of `app` out of `env`. The app gets the path of a secret's file, and reads the file itself. */
export function environmentOf(app: App, env: Environment): Record<string, string> {
  const isSet = (name: string) => Boolean(env[name] || env[`${name}_FILE`]);
  const own = app.variables.filter((name) => {
    const other = app.unless?.[name];
    return other === undefined || !isSet(other);
  });
  const sdk = Object.keys(env).filter((name) => name.startsWith(SDK_PREFIX));
  const names = [...SYSTEM_VARIABLES, ...sdk, ...own, ...own.map((name) => `${name}_FILE`)];
  const given = names.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value]];
  });
  // An empty variable counts as not set.
  const chosen = Object.entries(app.defaults ?? {}).filter(([name]) => !env[name]);
  return { ...Object.fromEntries(given), ...Object.fromEntries(chosen), ...app.fixed };
}

/** Answers the port that `app` serves on. Where the variable holds no number, the answer is NaN, and the app itself refuses to start. */
export function portOf(app: App, env: Environment): number {
  return Number(env[app.portVariable] || app.defaultPort);
}

/** Lists every port that `app` listens on, with the variable that changes it. */
export function portsOf(app: App, env: Environment): { variable: string; port: number }[] {
  const { healthPort } = app;
  const own = { variable: app.portVariable, port: portOf(app, env) };
  if (healthPort === undefined) return [own];
  return [own, { variable: healthPort.variable, port: Number(env[healthPort.variable] || healthPort.default) }];
}

/** Answers how long `app` serves on before it stops, in ms. Where the variable holds no number, the answer is 0, and the app refuses to start. */
export function drainMs(app: App, env: Environment): number {
  return (Number(environmentOf(app, env)['DRAIN_SECONDS']) || 0) * 1000;
}

/** Answers the URL of `app` on this machine, without a slash at the end. */
export function addressOf(app: App, env: Environment): string {
  const host = app.variables.includes('HOST') ? env['HOST'] : undefined;
  const reachable = host === undefined || ANY_ADDRESS.includes(host) ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${portOf(app, env)}`;
}
