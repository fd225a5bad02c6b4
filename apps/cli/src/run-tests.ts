import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandContext } from './command-context.ts';
import { canInstall, thisMachine } from './services/machine.ts';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * `npm test`: runs vitest with `args`, and leaves its totals in `.data/test-results.json`.
 *
 * @returns vitest's exit code.
 */
export async function runTests(args: readonly string[], context: CommandContext): Promise<number> {
  await findBrowser(context);
  const results = join(context.root, '.data', 'test-results.json');
  await mkdir(join(context.root, '.data'), { recursive: true });
  await rm(results, { force: true }); // those of an earlier run must not pass for this one's
  const vitest = join(context.root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], {
    cwd: context.root,
    env: { ...context.env },
    stdio: 'inherit',
  });
  // A terminal sends Ctrl-C to vitest as well, which stops its servers first: wait for that.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

// The dashboard's test needs a browser. Where none can be installed without asking, that test fails and says so.
async function findBrowser({ env, print }: CommandContext): Promise<void> {
  const machine = thisMachine(env['PATH']);
  if (BROWSERS.some((name) => machine.find(name) !== undefined) || !canInstall(machine)) return;
  print('Installing chromium for the test of the dashboard …');
  await machine.install('chromium').catch((error: unknown) => print(String(error)));
}
