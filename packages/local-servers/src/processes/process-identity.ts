import { execFile } from 'node:child_process';
import { readFile, readlink, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Checks whether the process `pid` runs one of `commands` in the working folder `folder`.
 *
 * Redis and Postgres make their data folder their working folder. So this shows whether a process number from an old file still belongs
 * to the server: after a reboot, another process may have the number.
 *
 * @returns False also where the process or the folder cannot be read; never rejects.
 */
export async function isServerOf(pid: number, commands: readonly string[], folder: string): Promise<boolean> {
  try {
    const identity = process.platform === 'linux' ? await identifyByProc(pid) : await identifyByLsof(pid);
    return commands.includes(identity.command) && identity.folder === (await realpath(folder));
  } catch {
    return false;
  }
}

interface Identity {
  command: string;
  folder: string;
}

async function identifyByProc(pid: number): Promise<Identity> {
  const command = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
  return { command, folder: await readlink(`/proc/${pid}/cwd`) };
}

async function identifyByLsof(pid: number): Promise<Identity> {
  const { stdout } = await run('lsof', ['-a', '-p', String(pid), '-d', 'cwd', '-Fcn']);
  const field = (letter: string): string =>
    stdout
      .split('\n')
      .find((line) => line.startsWith(letter))
      ?.slice(1) ?? '';
  return { command: field('c'), folder: field('n') };
}
