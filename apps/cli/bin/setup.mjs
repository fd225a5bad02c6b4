#!/usr/bin/env node
// oxlint-disable no-console -- this script prints for its user
/**
 * The set-up behind `npm start`, `npm test`, `npm run landline`, `npm run bench` and `npm run test:faults`. It installs, generates and
 * builds the parts that are missing or out of date, and then runs the command. It needs nothing but Node.
 *
 *     node apps/cli/bin/setup.mjs                    only sets up
 *     node apps/cli/bin/setup.mjs start|test <args>
 *     node apps/cli/bin/setup.mjs landline <command> <args>
 *     node apps/cli/bin/setup.mjs bench <args>       also builds bench/, which is no package
 *     node apps/cli/bin/setup.mjs faults <args>      the same for test/faults/
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { removeStale } from './remove-stale.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const MAIN = join(ROOT, 'apps', 'cli', 'dist', 'main.js');
/** Suites that are no packages and have builds of their own: for each its folder, and the script that runs. */
const SUITES = {
  bench: ['bench', 'bench/dist/bench/run.js'],
  faults: ['test/faults', 'test/faults/dist/test/faults/run.js'],
};
const GENERATED = join(ROOT, 'packages', 'store', 'src', 'generated');

checkNode();
process.chdir(ROOT);
install();
generateClient();
build();
await handOver(process.argv.slice(2));

function checkNode() {
  // The same versions as in `engines` of package.json: Prisma and the linter run on them.
  const [major, minor] = process.versions.node.split('.').map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24) return;
  fail(
    `Landline needs Node 24 and newer, 22.12 or 20.19; this is ${process.versions.node}. Get one: https://nodejs.org`,
  );
}

function install() {
  if (isInstalled()) return;
  console.log('Installing packages (the first time takes a minute) …');
  // The build needs all packages, also those that NODE_ENV or the user's npm settings would leave out.
  const all = ['--include=dev', '--include=optional'];
  const result = runNpm(['ci', ...all, '--no-fund', '--no-audit', '--loglevel=error'], 'inherit');
  if (result.status !== 0) fail('npm ci failed; its message is above. When that is put right, run this again.');
}

/** Compares npm's list of installed packages with the lock file. Answers whether every package is installed in its version. */
function isInstalled() {
  const wanted = readJson(join(ROOT, 'package-lock.json'));
  const installed = readJson(join(ROOT, 'node_modules', '.package-lock.json'));
  if (wanted === undefined) fail('package-lock.json is missing or damaged: git checkout package-lock.json');
  if (installed === undefined) return false;
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true; // a workspace is part of the repository
    const present = installed.packages[path];
    // The binaries of other platforms are optional, and npm does not install them.
    return present === undefined ? entry.optional === true : present.version === entry.version;
  });
}

function generateClient() {
  const inputs = ['prisma/schema.prisma', 'prisma.config.ts', 'node_modules/prisma/package.json'];
  const hash = createHash('sha256');
  for (const file of inputs) hash.update(readFileSync(join(ROOT, file)));
  const stamp = join(GENERATED, '.inputs');
  const wanted = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  runQuietly('prisma generate', ['node_modules/prisma/build/index.js', 'generate'], {
    // Without this variable Prisma downloads a native engine from a host that many networks cannot reach. It does not run
    // the engine, so any existing file will do.
    PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY || process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  });
  writeFileSync(stamp, wanted);
}

function build() {
  if (!existsSync(MAIN)) console.log('Building …');
  runQuietly('The build', ['node_modules/turbo/bin/turbo', 'run', 'build', '--output-logs=errors-only', '--no-color'], {
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
    DO_NOT_TRACK: '1',
  });
  for (const place of ['packages', 'apps'].map((name) => join(ROOT, name)))
    for (const name of readdirSync(place))
      removeStale({ src: join(place, name, 'src'), dist: join(place, name, 'dist') });
}

async function handOver([command, ...args]) {
  if (command === undefined) return console.log('Set up. Next: npm start');
  if (command in SUITES) {
    const [folder, script] = SUITES[command];
    runQuietly(`The build of ${folder}/`, ['node_modules/typescript/bin/tsc', '-p', `${folder}/tsconfig.json`]);
    return run(join(ROOT, script), args);
  }
  return run(MAIN, command === 'landline' ? args : [command, ...args]);
}

async function run(script, args) {
  process.argv = [process.argv[0], script, ...args];
  await import(pathToFileURL(script).href);
}

/** Runs a Node script, and prints its output only if the script fails. */
function runQuietly(name, args, env) {
  const result = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status === 0) return;
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  fail(`${name} failed; its message is above.`);
}

/** Runs the npm that runs this script, else the npm on the PATH. */
function runNpm(args, stdio) {
  const script = process.env.npm_execpath;
  if (script !== undefined && script.endsWith('npm-cli.js'))
    return spawnSync(process.execPath, [script, ...args], { stdio });
  return spawnSync('npm', args, { stdio, shell: process.platform === 'win32' });
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
