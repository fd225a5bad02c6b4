import { chmod, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, type StartedProcess } from '@landline/local-servers';
import { chooseQuietPort } from './quiet-port.ts';
import { findTool } from './find-tool.ts';

/** The user of PgBouncer, which refuses to run as root; every system has this user. */
const NOBODY = 65_534;

/** A PgBouncer in front of one server, for every database there. */
export interface PgBouncer {
  /** Returns the URL of the same database behind PgBouncer. */
  urlOf: (databaseUrl: string) => string;
  /** Kills it, so that all connections end, and starts it again on the same port. */
  restart: () => Promise<void>;
  /** Kills it, and removes its files. */
  stop: () => Promise<void>;
}

/** Who may connect to a PgBouncer. */
export type WhoMayConnect =
  /** Everybody, and each is the user of the URL. */
  | 'everybody'
  /** Whoever may log in to the server, of which the URL names a superuser. */
  | 'roles';

/** How to run PgBouncer. */
export interface PgBouncerOptions {
  who: WhoMayConnect;
  /** Further lines of the section `[pgbouncer]`, by name. */
  settings?: Readonly<Record<string, string | number>>;
}

/** Starts a PgBouncer in transaction mode in front of the server of `serverUrl`, which names a database there. */
export async function runPgBouncer(serverUrl: string, options: PgBouncerOptions): Promise<PgBouncer> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'landline-pgbouncer-')));
  const listenPort = await chooseQuietPort();
  const file = await writeConfiguration({ folder, serverUrl, listenPort, ...options });
  const start = async () => {
    const process = await startPooler(file);
    await process.until(() => takesConnections(listenPort), { withinMs: 20_000 });
    return process;
  };
  let pooler = await start();
  const kill = async () => {
    pooler.kill('SIGKILL');
    await pooler.exited;
  };
  return {
    urlOf(databaseUrl) {
      const url = new URL(databaseUrl);
      url.host = `127.0.0.1:${listenPort}`;
      return url.href;
    },
    async restart() {
      await kill();
      pooler = await start();
    },
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Configuration extends PgBouncerOptions {
  folder: string;
  serverUrl: string;
  listenPort: number;
}

/** Writes PgBouncer's files into the folder. Returns the one to start it with. */
async function writeConfiguration(configuration: Configuration): Promise<string> {
  const { folder, serverUrl, listenPort, who, settings } = configuration;
  const { hostname, port, username, password } = readUrl(serverUrl);
  const users = join(folder, 'users.txt');
  const asUser = who === 'everybody' ? ` user=${username} password=${password}` : '';
  const entry = {
    everybody: { auth_type: 'any' },
    roles: { auth_type: 'scram-sha-256', auth_file: users, auth_user: username },
  };
  const own = { listen_addr: '127.0.0.1', listen_port: listenPort, unix_socket_dir: '', pool_mode: 'transaction' };
  const lines = Object.entries({ ...own, ...entry[who], ...settings }).map(([name, value]) => `${name} = ${value}`);
  const file = join(folder, 'pgbouncer.ini');
  await writeFile(users, `"${username}" "${password}"\n`);
  await writeFile(file, `[databases]\n* = host=${hostname} port=${port}${asUser}\n[pgbouncer]\n${lines.join('\n')}\n`);
  // Others may read the password in the folder: its server lasts only as long as the tests.
  await chmod(folder, 0o755);
  return file;
}

function readUrl(serverUrl: string) {
  const { hostname, port, username, password } = new URL(serverUrl);
  return { hostname, port, username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

function startPooler(file: string): Promise<StartedProcess> {
  return startProcess({
    command: findTool('pgbouncer', 'pgbouncer'),
    args: ['-q', file],
    env: {},
    endsWithUs: true,
    account: process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined,
  });
}

/** Tries a connection, and waits until PgBouncer has closed it: until then it counts towards `max_client_conn`. */
function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end());
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(true));
    socket.resume();
  });
}
