import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canInstall, startProcess, thisMachine } from '@landline/local-servers';
import type { CommandContext } from './command-context.ts';

/** Programs that some tests run, the Debian package of each program, and the tests that run it. */
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
 * `npm test`: runs vitest with `args`, and writes its totals to `.data/test-results.json`.
 *
 * @returns vitest's exit code.
 */
export async function runTests(args: readonly string[], context: CommandContext): Promise<number> {
  await findTools(context);
  const results = join(context.root, '.data', 'test-results.json');
  await mkdir(join(context.root, '.data'), { recursive: true });
  await rm(results, { force: true }); // the results of an earlier run must not pass for those of this run
  const vitest = join(context.root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
  // A terminal sends Ctrl-C to vitest as well. Vitest stops its servers first, so this process waits for the end of vitest.
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

// Installs the programs that are missing. Where that needs the user, the tests of a program fail, and they name the command to type.
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
