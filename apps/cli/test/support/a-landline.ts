import { access, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess, type StartedProcess } from '@landline/local-servers';
import { inject, onTestFinished, vi } from 'vitest';
import { createDatabase } from '../../../../test/support/database.ts';
import { chooseQuietPort } from '../../../../test/support/quiet-port.ts';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { APPS } from '../../src/start/apps.ts';
import { start } from '../../src/start/start.ts';

/** The names of the apps that run in any case. */
export const NAMES = ['receiver', 'worker', 'dashboard', 'initiation'] as const;
type Name = (typeof NAMES)[number];

// A stand-in for an app. It answers as a ready app does, and notes its environment and its stop. The file `faulty` names an app:
// - `<name>` does not start;
// - `slow <name>` never listens;
// - `lingering <name>` runs on after the end of its supervisor, until there is a file `released` or the folder is gone.
const APP = `
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
const name = process.argv[1].split('/').at(-3);
const [portVariable, status] = {
  receiver: ['PORT', 200],
  worker: ['WORKER_PORT', 200],
  dashboard: ['DASHBOARD_PORT', 401],
  initiation: ['INITIATION_PORT', 200],
  monitor: ['MONITOR_PORT', 200],
}[name];
const faulty = readFileSync('faulty', 'utf8');
// Who waits for the note finds all of it.
writeFileSync(name + '.json.new', JSON.stringify({ pid: process.pid, env: process.env, options: process.execArgv }));
renameSync(name + '.json.new', name + '.json');
if (faulty === name) process.exit(3);
const server = createServer((_, response) => response.writeHead(status).end());
if (faulty === 'slow ' + name) setInterval(() => {}, 1000);
else server.listen(process.env[portVariable], '127.0.0.1');
process.once('SIGTERM', () => {
  appendFileSync('stopped', name + ' ');
  process.exit(0);
});
process.once('disconnect', () => {
  if (faulty !== 'lingering ' + name) process.exit(0);
  setInterval(() => (existsSync('released') || !existsSync('faulty')) && process.exit(0), 20);
});
`;

/** Makes a folder for `npm start`. The apps in `real` are the product's own, from their build; the others are stand-ins. */
export async function makeRoot({ faulty = '', real = [] }: { faulty?: string; real?: readonly Name[] } = {}) {
  const root = await makeTempFolder();
  for (const name of [...NAMES, 'monitor'] as const) {
    const built = new URL(`../../../${name}/dist/main.js`, import.meta.url).href;
    await mkdir(join(root, 'apps', name, 'dist'), { recursive: true });
    const code = name !== 'monitor' && real.includes(name) ? `import ${JSON.stringify(built)};` : APP;
    await writeFile(join(root, 'apps', name, 'dist', 'main.js'), code);
  }
  await writeFile(join(root, 'package.json'), '{ "type": "module" }');
  await writeFile(join(root, 'faulty'), faulty);
  await copyFile(new URL('../../../../.env.example', import.meta.url), join(root, '.env.example'));
  return root;
}

/** Chooses a free port for each app, and for the receiver's health. */
export async function freePorts(): Promise<Record<string, string>> {
  const names = ['HEALTH_PORT', ...APPS.map(({ portVariable }) => portVariable)];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, String(await chooseQuietPort())])));
}

/** Makes the environment of a user who has a Redis and a database; the database is the test's own. */
export async function givenServers(): Promise<{ DATABASE_URL: string; REDIS_URL: string }> {
  const database = await createDatabase(inject('databaseUrl'));
  onTestFinished(() => database.drop());
  return { DATABASE_URL: database.url, REDIS_URL: inject('redisUrl') };
}

/** Runs `npm start` in `root`, until the test ends. */
export function startIn(root: string, env: Record<string, string | undefined>) {
  const printed: string[] = [];
  const stopping = new AbortController();
  const context = { root, env: { PATH: process.env['PATH'], ...env }, width: 80 };
  const code = start({ ...context, print: (line) => printed.push(line) }, stopping.signal);
  const stop = () => {
    stopping.abort();
    return code;
  };
  onTestFinished(async () => {
    await stop().catch(() => {}); // the test has checked the fault that it expects
  });
  const prints = (text: string) =>
    Promise.race([vi.waitUntil(() => printed.join('\n').includes(text), { timeout: 90_000, interval: 20 }), code]);
  const summary = () => printed.find((line) => line.includes('Landline is up.')) ?? '';
  return { printed, code, stop, prints, summary, up: () => prints('Landline is up.') };
}

/** Answers the URL of a built file of src/start, as a literal. */
function builtFile(file: string): string {
  return JSON.stringify(new URL(`../../dist/start/${file}.js`, import.meta.url).href);
}

/** Runs `npm start` of the build in a process of its own, with `root` as its folder. The process is killed when the test ends. */
export async function spawnStart(root: string, env: Record<string, string>): Promise<StartedProcess> {
  const script = `
    import { start } from ${builtFile('start')};
    import { stopSignal } from ${builtFile('stop-signal')};
    const print = (line) => console.log(line);
    const context = { root: process.cwd(), env: process.env, print, width: 80 };
    process.exitCode = await start(context, stopSignal({ withParent: false })).catch((error) => {
      console.log(error.message);
      return 1;
    });`;
  const started = await startProcess({
    command: process.execPath,
    args: ['--input-type=module', '-e', script],
    cwd: root,
    env: { PATH: process.env['PATH'], ...env },
    name: 'npm start',
    endsWithUs: true,
  });
  onTestFinished(() => started.kill('SIGKILL'));
  return started;
}

/** Reads the note that a stand-in wrote at its start. */
export async function noteOf(
  root: string,
  app: string,
): Promise<{ pid: number; env: Record<string, string>; options: string[] }> {
  return JSON.parse(await readFile(join(root, `${app}.json`), 'utf8'));
}

/** Checks whether a file or a folder exists. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
