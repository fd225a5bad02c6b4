import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startPostgres } from '@landline/local-servers';
import { makeRoles, migrate } from '@landline/store';
import { vi } from 'vitest';
import { startApp, untilReady, type AppProcess } from './app-process.ts';
import { post, SECRET, send, signed } from './post.ts';
import { chooseQuietPort } from './quiet-port.ts';
import { startPrivateRedis, type PrivateRedis } from './private-redis.ts';
import { runSql } from './run-sql.ts';

/** A secret that the provider signs with, and that no process knows before `learnSecret`. */
export const OTHER_SECRET = 'wsec_fedcba9876543210fedcba9876543210';

/** How long a change may take to reach the tables. */
export const APPLIED = { timeout: 60_000, interval: 50 };

/** The cluster exists for one test file, so it need not be durable. */
const THROWAWAY = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'].flatMap((each) => ['-c', each]);

/** A server that a test may take away. */
export interface Breakable {
  /** Ends the server; its data stays. */
  stop: () => Promise<unknown>;
  /** Starts it again on the same port and data. */
  restart: () => Promise<void>;
  /** Freezes the server: no answer comes, and no connection closes. */
  freeze: () => Promise<void>;
  thaw: () => Promise<void>;
}

/** The whole line with its console: each app a process of its own, on servers of its own. */
export interface ConsoleLine {
  receiver: string;
  dashboard: string;
  login: { username: string; password: string };
  apiToken: string;
  redisUrl: string;
  postgres: Breakable;
  redis: Breakable;
  /** Freezes the worker, so that accepted events wait; thaws it. */
  worker: Pick<Breakable, 'freeze' | 'thaw'>;
  /** Sends bodies as the provider does, one after the other. Throws where one is not answered 200. */
  accept: (bodies: readonly Buffer[]) => Promise<void>;
  /** Sends a body that is signed with `OTHER_SECRET`. Returns the status. */
  sendUnknown: (body: Buffer) => Promise<number>;
  /** Replaces the worker by one that knows `OTHER_SECRET` as well. */
  learnSecret: () => Promise<void>;
  sql: <Row extends object = Record<string, unknown>>(statement: string) => Promise<Row[]>;
  /** Waits until a condition on a table holds for so many rows, such as `conversations WHERE status = 'done'`. */
  untilRows: (from: string, rows: number) => Promise<void>;
  /** Asks the API with the token; posts `body` where there is one. */
  ask: (path: string, body?: unknown) => Promise<{ status: number; json: unknown }>;
  stop: () => Promise<void>;
}

/** Starts the line. The dashboard logs in to Postgres as the reader, and the worker as the worker. */
export async function startConsoleLine(): Promise<ConsoleLine> {
  const folder = await mkdtemp(join(tmpdir(), 'landline-console-'));
  await chmod(folder, 0o755); // as root, Postgres runs as another user
  const opened: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    // In reverse order, one after the other: what was opened last uses what was opened first.
    await opened.reduceRight((after, close) => after.then(close), Promise.resolve<unknown>(undefined));
  };
  try {
    const [postgres, redis] = await Promise.all([startDatabase(join(folder, 'postgres')), startPrivateRedis()]);
    opened.push(
      () => postgres.stop(),
      () => redis.remove(),
    );
    const apps = await startApps({ folder, postgres, redisUrl: redis.url });
    opened.push(() => apps.stop());
    return { ...lineOf(apps, postgres), redisUrl: redis.url, redis: breakableOf(redis), postgres, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Database extends Breakable {
  adminUrl: string;
  roles: Record<'worker' | 'reader', string>;
}

async function startDatabase(dir: string): Promise<Database> {
  const start = (port: number) => startPostgres({ dir, port, args: THROWAWAY, endsWithUs: true });
  let server = await start(await chooseQuietPort());
  const adminUrl = server.url;
  await migrate(adminUrl);
  const password = 'of this line';
  const roles = await makeRoles({ adminUrl, passwords: { owner: password, worker: password, reader: password } });
  const signal = async (name: NodeJS.Signals) => {
    const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
    const pairs = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
    const children = pairs.flatMap(([pid = 0, parent]) => (parent === server.pid ? [pid] : []));
    for (const pid of [server.pid, ...children]) process.kill(pid, name);
  };
  return {
    adminUrl,
    roles,
    stop: () => server.stop(),
    restart: async () => void (server = await start(Number(new URL(adminUrl).port))),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
  };
}

function breakableOf(redis: PrivateRedis): Breakable {
  return {
    stop: () => redis.stop(),
    restart: () => redis.restart(),
    freeze: async () => redis.freeze(),
    thaw: async () => redis.thaw(),
  };
}

interface Apps extends Pick<ConsoleLine, 'login' | 'apiToken' | 'learnSecret' | 'worker' | 'stop'> {
  receiver: AppProcess;
  dashboard: AppProcess;
}

async function startApps(on: { folder: string; postgres: Database; redisUrl: string }): Promise<Apps> {
  const recordings = join(on.folder, 'recordings');
  const folders = { JOURNAL_DIR: join(on.folder, 'journal'), SPOOL_DIR: join(on.folder, 'spool') };
  await Promise.all([recordings, ...Object.values(folders)].map((dir) => mkdir(dir)));
  const login = { username: 'admin', password: randomBytes(24).toString('base64') };
  const apiToken = randomBytes(24).toString('hex');
  const REDIS_URL = on.redisUrl;
  const RECORDINGS_URL = `file:${recordings}`;
  const { worker: DATABASE_URL, reader: READER_DATABASE_URL } = on.postgres.roles;
  const startWorker = (ELEVENLABS_WEBHOOK_SECRET: string) =>
    startApp('worker', { env: { REDIS_URL, DATABASE_URL, RECORDINGS_URL, ELEVENLABS_WEBHOOK_SECRET } });
  const [receiver, dashboard, first] = await Promise.all([
    startApp('receiver', {
      env: {
        REDIS_URL,
        RECORDINGS_URL,
        ...folders,
        ELEVENLABS_WEBHOOK_SECRET: SECRET,
        CANARY_INTERVAL_SECONDS: '5',
      },
    }),
    startApp('dashboard', {
      env: {
        REDIS_URL,
        READER_DATABASE_URL,
        RECORDINGS_URL,
        DASHBOARD_USER: login.username,
        DASHBOARD_PASSWORD: login.password,
        API_TOKEN: apiToken,
      },
    }),
    startWorker(SECRET),
  ]);
  let worker = first;
  await Promise.all([untilReady(receiver), untilReady(worker)]);
  return {
    receiver,
    dashboard,
    login,
    apiToken,
    worker: { freeze: async () => worker.kill('SIGSTOP'), thaw: async () => worker.kill('SIGCONT') },
    async learnSecret() {
      await worker.stop();
      worker = await startWorker(`${OTHER_SECRET},${SECRET}`);
      await untilReady(worker);
    },
    stop: () => Promise.all([receiver, worker, dashboard].map((app) => app.stop())).then(() => undefined),
  };
}

function lineOf(apps: Apps, postgres: Database): Omit<ConsoleLine, 'postgres' | 'redis' | 'redisUrl' | 'stop'> {
  const { receiver, dashboard, ...others } = apps;
  const sql = <Row extends object>(statement: string) => runSql<Row>(postgres.adminUrl, statement);
  return {
    receiver: receiver.url,
    dashboard: dashboard.url,
    ...others,
    sql,
    async accept(bodies) {
      for (const body of bodies) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const { status, body: answer } = await post(receiver.url, body);
        if (status !== 200) throw new Error(`The receiver answered ${status}: ${answer}`);
      }
    },
    sendUnknown: async (body) => (await send(receiver.url, { headers: signed(body, OTHER_SECRET), body })).status,
    async untilRows(from, rows) {
      const count = async () => Number((await sql<{ n: string }>(`SELECT count(*) AS n FROM ${from}`))[0]?.n);
      await vi.waitFor(async () => {
        const seen = await count();
        if (seen !== rows)
          throw new Error(`${from} has ${seen} rows instead of ${rows}.\n${receiver.output().slice(-500)}`);
      }, APPLIED);
    },
    async ask(path, asked) {
      const { status, body } = await send(dashboard.url, {
        method: asked === undefined ? 'GET' : 'POST',
        path: `/api/v1${path}`,
        headers: { authorization: `Bearer ${apps.apiToken}`, 'content-type': 'application/json' },
        body: asked === undefined ? '' : JSON.stringify(asked),
      });
      return { status, json: JSON.parse(body) };
    },
  };
}
