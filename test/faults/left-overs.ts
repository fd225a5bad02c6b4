import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isServerOf, stopProcess } from '@landline/local-servers';

const KILL = [{ signal: 'SIGKILL', withinMs: 5000 }] as const;
/** By its immediate shutdown Postgres takes its children with it. */
const SHUT_DOWN = [{ signal: 'SIGQUIT', withinMs: 5000 }, ...KILL] as const;

/** Stops the servers that a killed run has left: each wrote down its number, beside its data or in it. */
export async function stopLeftOvers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((file) => file.endsWith('.pid'))) {
    const pid = await readPid(join(folder, name));
    const data = join(folder, name.slice(0, -'.pid'.length));
    // oxlint-disable-next-line no-await-in-loop -- seldom any
    if (await isServerOf(pid, ['redis-server', 'valkey-server'], data)) await stopProcess(pid, KILL);
  }
  const data = join(folder, 'postgres');
  const pid = await readPid(join(data, 'postmaster.pid'));
  if (await isServerOf(pid, ['postgres'], data)) await stopProcess(pid, SHUT_DOWN);
}

/** 0, which is no server's, where there is no such file. */
async function readPid(file: string): Promise<number> {
  return Number.parseInt(await readFile(file, 'utf8').catch(() => '0'), 10) || 0;
}
