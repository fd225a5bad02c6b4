import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canInstall, startProcess, thisMachine } from '@landline/local-servers';
import type { CommandContext } from './command-context.ts';

/** What some tests run, the Debian package that brings it, and which tests those are. */
const TOOLS: readonly { programs: readonly string[]; debianPackage: string; tests: string }[] = [
  {
    programs: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    debianPackage: 'chromium',
    tests: 'the test of the dashboard',
  },
  { programs: ['pgbouncer'], debianPackage: 'pgbouncer', tests: 'the tests behind a pooler' },
  { programs: ['promtool'], debianPackage: 'prometheus', tests: 'the tests of the alerts' },
];

/**
 * `npm test`: runs vitest with `args`, and leaves its totals in `.data/test-results.json`.
 *
 * @returns vitest's exit code.
 */
export async function runTests(args: readonly string[], context: CommandContext): Promise<number> {
  await findTools(context);
  const results = join(context.root, '.data', 'test-results.json');
  await mkdir(join(context.root, '.data'), { recursive: true });
  await rm(results, { force: true }); // those of an earlier run must not pass for this one's
  const vitest = join(context.root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
  // A terminal sends Ctrl-C to vitest as well, which stops its servers first: wait for that.
  process.on('SIGINT', () => {});
  const { exited, kill } = await startProcess({
    command: process.execPath,
    args: [vitest, 'run', ...reporters, ...args],
    cwd: context.root,
    env: context.env,
    output: 'inherit',
  });
  process.on('SIGTERM', () => kill('SIGTERM'));
  const [code] = await exited;
  return code ?? 1;
}

// Where one is missing and cannot be installed without asking, its tests fail and say what to type.
async function findTools({ env, print }: CommandContext): Promise<void> {
  const machine = thisMachine(env['PATH']);
  if (!canInstall(machine)) return;
  for (const { programs, debianPackage, tests } of TOOLS) {
    if (programs.some((name) => machine.find(name) !== undefined)) continue;
    print(`Installing ${debianPackage} for ${tests} …`);
    // oxlint-disable-next-line no-await-in-loop -- apt-get installs one at a time
    await machine.install(debianPackage).catch((error: unknown) => print(String(error)));
  }
}
