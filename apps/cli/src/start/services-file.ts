import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isServerOf } from '@landline/local-servers';
import { z } from 'zod';
import { CliError } from '../errors.ts';

const servicesFile = z.object({
  /** The process number of `npm start`. */
  pid: z.int().positive(),
  /** The worker's URL. */
  databaseUrl: z.string().optional(),
  /** The URL of the tables' owner. */
  directUrl: z.string().optional(),
  /** The URL of the role that may only read. */
  readerDatabaseUrl: z.string().optional(),
  redisUrl: z.string().optional(),
});

/** The file services.json: the servers of a running `npm start`, for the other commands. It holds passwords, so its mode is 600. */
export type RunningServices = z.infer<typeof servicesFile>;

/** The names of Node's main thread in the process table; they differ by version. */
const SUPERVISOR_COMMANDS = ['node', 'MainThread', 'node-MainThread'];

/**
 * Notes in services.json that this process runs Landline in `root`.
 *
 * @returns `killed` when an earlier run was killed: its apps may need some seconds until they have ended. Else `free`.
 * @throws {CliError} `already_running`: another process runs Landline in `root`, and two would damage the data. `configuration_invalid`:
 *         the file cannot be written.
 */
export async function claimRoot(root: string): Promise<'free' | 'killed'> {
  const pid = (await readServices(root))?.pid;
  if (pid !== undefined && pid !== process.pid && (await isServerOf(pid, SUPERVISOR_COMMANDS, root))) {
    throw new CliError('already_running', `Landline runs here already (process ${pid}). Stop it first: Ctrl-C there.`);
  }
  await writeServices(root, { pid: process.pid }).catch((cause: unknown) => {
    const who = 'Start Landline as the user who started it first, or give that user the folder (chown -R).';
    throw new CliError('configuration_invalid', `Cannot write to ${join(root, '.data')}. ${who}`, { cause });
  });
  return pid === undefined ? 'free' : 'killed';
}

/** Reads services.json. Answers undefined where the file is missing, unreadable or damaged. */
export async function readServices(root: string): Promise<RunningServices | undefined> {
  const text = await readFile(fileOf(root), 'utf8').catch(() => 'null');
  const parsed = servicesFile.safeParse(parseJson(text));
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a full disk, for example, may have cut the file short
  }
}

/** Writes services.json, whole or not at all. @throws When the file cannot be written. */
export async function writeServices(root: string, services: RunningServices): Promise<void> {
  const file = fileOf(root);
  await mkdir(dirname(file), { recursive: true });
  await rm(`${file}.new`, { force: true });
  await writeFile(`${file}.new`, `${JSON.stringify(services, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Removes services.json: Landline has stopped. */
export async function clearServices(root: string): Promise<void> {
  await rm(fileOf(root), { force: true });
}

function fileOf(root: string): string {
  return join(root, '.data', 'services.json');
}
