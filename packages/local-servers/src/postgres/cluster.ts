import { execFile } from 'node:child_process';
import { chown, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LocalServerError } from '../errors.ts';
import type { PostgresHome } from './home.ts';
import { SERVER_ENVIRONMENT } from '../processes/spawn-server.ts';

const run = promisify(execFile);

/** Name of the superuser and of the database of the embedded Postgres. */
export const POSTGRES_NAME = 'landline';

// Postgres brings its own C.UTF-8. So text sorts the same on every system, and no locale need be installed.
const INITDB_ARGS =
  `--username ${POSTGRES_NAME} --auth reject --encoding UTF8 --locale C --locale-provider builtin --builtin-locale C.UTF-8`.split(
    ' ',
  );

const HOST_RULES = `# TYPE DATABASE USER ADDRESS METHOD
host all all 127.0.0.1/32 scram-sha-256
`;

/**
 * Checks whether the home holds a complete cluster.
 *
 * @throws {LocalServerError} `postgres_failed`: another user's data, which this process cannot read.
 */
export async function hasCluster({ dataFolder }: PostgresHome): Promise<boolean> {
  return stat(join(dataFolder, 'PG_VERSION')).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw new LocalServerError(
        'postgres_failed',
        `Cannot read ${dataFolder}: it was made by another user. Start Landline as that user, or as root.`,
        { cause: error },
      );
    },
  );
}

/**
 * Makes a cluster with the database `landline`. The folder gets its name when it is complete, so that a run cut short leaves no cluster.
 *
 * @throws {LocalServerError} `postgres_failed`: initdb or Postgres failed, or a folder of that name holds something else.
 */
export async function makeCluster(home: PostgresHome): Promise<void> {
  const unfinished = { ...home, dataFolder: `${home.dataFolder}.new` };
  await rm(unfinished.dataFolder, { recursive: true, force: true });
  await mkdir(unfinished.dataFolder, { mode: 0o700 });
  if (home.account !== undefined) await chown(unfinished.dataFolder, home.account.uid, home.account.gid);
  await runProgram(unfinished, 'initdb', { args: ['--pgdata', unfinished.dataFolder, ...INITDB_ARGS] });
  await writeFile(join(unfinished.dataFolder, 'pg_hba.conf'), HOST_RULES);
  await runAlone(unfinished, `CREATE DATABASE ${POSTGRES_NAME}`);
  await rename(unfinished.dataFolder, home.dataFolder).catch((cause: unknown) => {
    throw new LocalServerError('postgres_failed', `${home.dataFolder} is in the way: move it elsewhere.`, { cause });
  });
}

/**
 * Sets the superuser's password in Postgres' single-user mode, which asks for no password. The server must not run meanwhile.
 *
 * @throws {LocalServerError} `postgres_failed`
 */
export async function setPassword(home: PostgresHome, password: string): Promise<void> {
  await runAlone(home, `ALTER ROLE ${POSTGRES_NAME} PASSWORD '${password}'`);
}

/** Runs one statement in Postgres' single-user mode. */
async function runAlone(home: PostgresHome, sql: string): Promise<void> {
  const args = ['--single', '-D', home.dataFolder, '-c', 'exit_on_error=on', 'template1'];
  await runProgram(home, 'postgres', { args, input: `${sql}\n` });
}

interface ProgramOptions {
  args: readonly string[];
  input?: string;
}

async function runProgram(home: PostgresHome, program: string, { args, input = '' }: ProgramOptions): Promise<void> {
  const running = run(join(home.binFolder, program), args, { cwd: '/', env: SERVER_ENVIRONMENT, ...home.account });
  running.child.stdin?.on('error', () => {}).end(input);
  await running.catch((cause: unknown) => {
    const output = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
    throw new LocalServerError('postgres_failed', `Postgres' ${program} failed: ${output}`, { cause });
  });
}
