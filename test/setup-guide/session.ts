import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { choosePort } from '@landline/local-servers';
import { vi } from 'vitest';
import type { Outcome } from './outcomes.ts';
import { startProxy, type Proxy } from './proxy.ts';
import { installPackages, makeRepository, shareBuilds } from './repository.ts';
import { openTerminal, runInForeground, type Foreground, type Terminal, type Typed } from './terminal.ts';

/** How long a log line may be on its way, and how long a start may take, in ms. */
const LOG_LIMIT_MS = 20_000;
const START_LIMIT_MS = 120_000;

/** The ports of the guides, by the variables that change them. */
const PORTS: ReadonlyMap<string, number> = new Map([
  ['PORT', 3000],
  ['DASHBOARD_PORT', 3001],
  ['WORKER_PORT', 3002],
  ['INITIATION_PORT', 3003],
  ['HEALTH_PORT', 3004],
]);

/** A reader with two terminals and an empty folder. */
export interface Session {
  /** Does one step of a guide, and waits until the first terminal shows what it shall. */
  type: (outcome: Outcome) => Promise<Typed>;
  /** Stops all that was started, and removes the folder. */
  end: () => Promise<void>;
}

/** What a session is made of. */
interface Desk {
  folder: string;
  /** The folder `landline` in it. */
  clone: string;
  env: Record<string, string>;
  /** Free ports of this machine, by the ports of the guides. */
  ports: Map<number, number>;
  proxy: Proxy;
  /** The second terminal; the first one until `npm start` holds that. */
  terminal: Terminal;
  /** `npm start` in the first terminal. */
  landline: Foreground | undefined;
}

/**
 * Makes an empty folder, ports of its own, a repository to clone, and a proxy in the place of the public host.
 *
 * @param routes  What the proxy passes: ports of the guides, by path.
 */
export async function beginSession(routes: ReadonlyMap<string, number>): Promise<Session> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'landline-guide-')));
  await chmod(folder, 0o755); // as root, Postgres runs as another user
  await makeRepository(join(folder, 'repository'));
  const chosen = await Promise.all([...PORTS].map(async ([name, port]) => ({ name, port, free: await choosePort(0) })));
  const ports = new Map(chosen.map(({ port, free }) => [port, free]));
  const env = makeEnvironment(chosen.map(({ name, free }): [string, string] => [name, String(free)]));
  const proxy = await startProxy(new Map([...routes].map(([path, port]) => [path, ports.get(port) ?? 0])));
  const terminal = await openTerminal({ cwd: folder, env });
  const desk: Desk = { folder, clone: join(folder, 'landline'), env, ports, proxy, terminal, landline: undefined };
  return { type: (outcome) => type(desk, outcome), end: () => end(desk) };
}

/** What a terminal of a new machine has, in English, and the ports: the environment wins over .env. No npm asks for a newer one of itself. */
function makeEnvironment(ports: [string, string][]): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries([...kept, ...ports]), LC_ALL: 'C', npm_config_update_notifier: 'false' };
}

async function type(desk: Desk, outcome: Outcome): Promise<Typed> {
  const { kind, text, opensTerminal, logs = [] } = outcome;
  if (kind === 'dotenv') return setVariable(desk.clone, text);
  if (text === 'npm start') return startLandline(desk, text);
  if (opensTerminal === true) await openAnother(desk);
  const from = desk.landline?.output().length ?? 0;
  const command = kind === 'sql' ? `npm run landline -- sql "${text}"` : text;
  const typed = await desk.terminal.type(outcome.isAsTyped === true ? command : onThisMachine(desk, command));
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

/** A command of the guides with the addresses of this session. */
function onThisMachine({ folder, proxy, ports }: Desk, command: string): string {
  return command
    .replaceAll('https://git.example.com/landline.git', join(folder, 'repository'))
    .replaceAll('https://calls.example.com', proxy.url)
    .replaceAll(/127\.0\.0\.1:(\d+)/g, (_, port: string) => `127.0.0.1:${ports.get(Number(port)) ?? port}`);
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

/** Writes a line of a guide into .env, in the place of the one that is there, as somebody with an editor does. */
async function setVariable(clone: string, line: string): Promise<Typed> {
  const file = join(clone, '.env');
  const name = line.split('=', 1).join('');
  const before = await readFile(file, 'utf8');
  // A secret that ElevenLabs might have shown.
  const written = line.replace('wsec_…', `wsec_${randomBytes(32).toString('hex')}`);
  const place = new RegExp(`^(# )?${name}=.*$`, 'm');
  const after = place.test(before) ? before.replace(place, () => written) : `${before}\n${written}\n`;
  await writeFile(file, after);
  return { exit: 0, output: '' };
}

async function end({ folder, proxy, terminal, landline }: Desk): Promise<void> {
  await landline?.interrupt();
  await terminal.close();
  await proxy.close();
  await rm(folder, { recursive: true, force: true });
}
