import { execFile } from 'node:child_process';
import { readFile, readlink, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Tells whether `pid` is one of `commands` at work in `folder`. Both servers make their data folder their working
 * folder, so this holds a process number from an old file against what runs now: a number is used again after a reboot.
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
