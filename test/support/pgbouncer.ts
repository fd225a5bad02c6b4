import { chmod, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { choosePort, startProcess } from '@landline/local-servers';
import { onTestFinished } from 'vitest';
import { findTool } from './find-tool.ts';
import { makeTempFolder } from './temp-folder.ts';

/** The user of PgBouncer, which refuses to run as root; every system has this user. */
const NOBODY = 65_534;

/**
 * Starts a PgBouncer for the running test, in transaction mode, in front of the server of `databaseUrl`. It ends with the test.
 *
 * @param settings  Lines of the section `[pgbouncer]`, by name.
 * @returns         The URL of the same database behind PgBouncer.
 */
export async function startPgBouncer(
  databaseUrl: string,
  settings: Readonly<Record<string, string | number>>,
): Promise<string> {
  const program = findTool('pgbouncer', 'pgbouncer');
  const { hostname, port, username, password } = new URL(databaseUrl);
  const listenPort = await choosePort(0);
  const own = {
    listen_addr: '127.0.0.1',
    listen_port: listenPort,
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: 'transaction',
    ...settings,
  };
  const lines = Object.entries(own).map(([name, value]) => `${name} = ${value}`);
  const folder = await makeTempFolder();
  const file = join(folder, 'pgbouncer.ini');
  await writeFile(
    file,
    `[databases]\n* = host=${hostname} port=${port} user=${username} password=${password}\n[pgbouncer]\n${lines.join('\n')}\n`,
  );
  // Others may read the password in the folder: its server lasts only as long as the test.
  await chmod(folder, 0o755);
  const pooler = await startProcess({
    command: program,
    args: ['-q', file],
    env: {},
    endsWithUs: true,
    account: process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined,
  });
  onTestFinished(async () => {
    pooler.kill('SIGKILL');
    await pooler.exited;
  });
  await pooler.until(() => takesConnections(listenPort), { withinMs: 10_000 });
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${listenPort}`;
  return url.href;
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
