import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { chooseQuietPort } from '../support/quiet-port.ts';
import { installPackages, makeRepository, shareBuilds } from './repository.ts';
import { openTerminal, runInForeground, type Foreground, type Terminal, type Typed } from './terminal.ts';

/** How long a log line may take to appear, and how long a start may take, in ms. */
const LOG_LIMIT_MS = 60_000;
const START_LIMIT_MS = 120_000;

/** The ports that the pages name, by the variables that set them. */
const PORTS: ReadonlyMap<string, number> = new Map([
  ['PORT', 3000],
  ['DASHBOARD_PORT', 3001],
  ['WORKER_PORT', 3002],
  ['INITIATION_PORT', 3003],
  ['HEALTH_PORT', 3004],
]);

/** Options of `type`. */
export interface TypeOptions {
  /** Lines that the first terminal must show because of the command, in their order. */
  logs?: readonly RegExp[];
  /** Whether the reader opens a new terminal for the command. */
  opensTerminal?: boolean;
}

/** A reader with an empty folder and two terminals: `npm start` holds the first one, the other commands are typed in the second. */
export interface Session {
  /** The repository to clone. */
  repository: string;
  /** The reader's clone: the folder `landline`. */
  clone: string;
  /** Free ports of this machine, by the ports that the pages name. */
  ports: ReadonlyMap<number, number>;
  /** Returns a text of a page with this session's ports in place of 127.0.0.1:3000 and the others. */
  withPorts: (text: string) => string;
  /** Types a command, and waits until it has ended (`npm start`: until Landline is up) and the first terminal shows `logs`. */
  type: (command: string, options?: TypeOptions) => Promise<Typed>;
  /** Returns the output of the newest `npm start`. */
  log: () => string;
  /** Presses Ctrl-C in the first terminal, and waits until everything that ran there has ended. */
  interrupt: () => Promise<void>;
  /** Stops everything that the session has started, and removes the folder. */
  end: () => Promise<void>;
}

/** The state of a session. */
interface Desk {
  folder: string;
  clone: string;
  env: Record<string, string>;
  /** The terminal for the next command: the second one, or the first one before `npm start` runs in it. */
  terminal: Terminal;
  /** `npm start` in the first terminal. */
  landline: Foreground | undefined;
}

/** Begins a session: makes an empty folder and a repository to clone, and chooses free ports. */
export async function beginSession(): Promise<Session> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'landline-reader-')));
  await chmod(folder, 0o755); // as root, Postgres runs as another user
  const repository = join(folder, 'repository');
  await makeRepository(repository);
  const chosen = await Promise.all(
    [...PORTS].map(async ([name, port]) => ({ name, port, free: await chooseQuietPort() })),
  );
  const ports = new Map(chosen.map(({ port, free }) => [port, free]));
  const env = makeEnvironment(chosen.map(({ name, free }): [string, string] => [name, String(free)]));
  const terminal = await openTerminal({ cwd: folder, env });
  const desk: Desk = { folder, clone: join(folder, 'landline'), env, terminal, landline: undefined };
  return {
    repository,
    clone: desk.clone,
    ports,
    withPorts: (text) =>
      text.replaceAll(/127\.0\.0\.1:(\d+)/g, (_, port: string) => `127.0.0.1:${ports.get(Number(port)) ?? port}`),
    type: (command, options = {}) => type(desk, command, options),
    log: () => desk.landline?.output() ?? '',
    interrupt: async () => desk.landline?.interrupt(),
    end: () => end(desk),
  };
}

/**
 * Returns the environment of a terminal on a new machine, in English, with the session's ports. The environment wins over .env.
 * It also switches off the notice by which npm offers a newer version.
 */
function makeEnvironment(ports: [string, string][]): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries([...kept, ...ports]), LC_ALL: 'C', npm_config_update_notifier: 'false' };
}

async function type(desk: Desk, command: string, { opensTerminal, logs = [] }: TypeOptions): Promise<Typed> {
  if (command === 'npm start') return startLandline(desk, command);
  if (opensTerminal === true) await openAnother(desk);
  const from = desk.landline?.output().length ?? 0;
  const typed = await desk.terminal.type(command);
  if (command.startsWith('git clone')) {
    await installPackages(desk.clone);
    await shareBuilds(desk.clone);
  }
  for (const line of logs) {
    const isThere = () => line.test(desk.landline?.output().slice(from) ?? '');
    // oxlint-disable-next-line no-await-in-loop -- they come in this order
    await vi.waitUntil(isThere, { timeout: LOG_LIMIT_MS, interval: 20 });
  }
  return typed;
}

/** Presses Ctrl-C in the first terminal where Landline runs there, starts it, and waits until it is up or has ended. */
async function startLandline(desk: Desk, command: string): Promise<Typed> {
  await desk.landline?.interrupt();
  const landline = await runInForeground(command, { cwd: desk.clone, env: desk.env });
  desk.landline = landline;
  const isSettled = () => landline.output().includes('Landline is up.') || !landline.isRunning();
  await vi.waitUntil(isSettled, { timeout: START_LIMIT_MS, interval: 50 });
  return { exit: landline.isRunning() ? 0 : 1, output: landline.output() };
}

async function openAnother(desk: Desk): Promise<void> {
  await desk.terminal.close();
  desk.terminal = await openTerminal({ cwd: desk.folder, env: desk.env });
}

async function end({ folder, terminal, landline }: Desk): Promise<void> {
  await landline?.interrupt();
  await terminal.close();
  await rm(folder, { recursive: true, force: true });
}
