import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isServerOf } from '@landline/local-servers';
import { z } from 'zod';
import { CliError } from '../errors.ts';

const servicesFile = z.object({
  /** Process number of the supervisor. */
  pid: z.int().positive(),
  /** As the worker logs in. */
  databaseUrl: z.string().optional(),
  /** As the owner of the tables. */
  directUrl: z.string().optional(),
  /** As the role that may only read. */
  readerDatabaseUrl: z.string().optional(),
  redisUrl: z.string().optional(),
});

/** What `npm start` notes of what runs, so that other commands find it. It holds passwords: mode 600. */
export type RunningServices = z.infer<typeof servicesFile>;

/** What Node calls its main thread in the process table, by version. */
const SUPERVISOR_COMMANDS = ['node', 'MainThread', 'node-MainThread'];

/**
 * Notes that this process supervises `root`.
 *
 * @returns `killed` when the one before was: what it ran may need some seconds yet to end.
 * @throws {CliError} `already_running`: another one does, and two would fight over the data.
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

/** Reads what runs; undefined when nothing does. */
export async function readServices(root: string): Promise<RunningServices | undefined> {
  const text = await readFile(fileOf(root), 'utf8').catch(() => 'null');
  const parsed = servicesFile.safeParse(parseJson(text));
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // cut short by a full disk, say: as good as none
  }
}

/** Writes what runs, whole or not at all. */
export async function writeServices(root: string, services: RunningServices): Promise<void> {
  const file = fileOf(root);
  await mkdir(dirname(file), { recursive: true });
  await rm(`${file}.new`, { force: true });
  await writeFile(`${file}.new`, `${JSON.stringify(services, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Notes that nothing runs any more. */
export async function clearServices(root: string): Promise<void> {
  await rm(fileOf(root), { force: true });
}

function fileOf(root: string): string {
  return join(root, '.data', 'services.json');
}
