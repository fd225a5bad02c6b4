/**
 * `npm run test:faults`: breaks everything there is, one thing at a time under load, and checks that nothing that was answered
 * 200 is missing. See README.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isClean, runCampaign, type Campaign } from './campaign.ts';
import { FAULTS, faultsOf, SHORT_FORM, SHORT_FORM_OF_CLUSTER } from './faults.ts';
import { untilHealthy } from './health.ts';
import { NODE_FAULTS } from './node-faults.ts';
import { readOptions, USAGE, type Options } from './options.ts';
import { isSurvived, measureOutage, outageText } from './outage.ts';
import {
  faultTable,
  fileOf,
  markdownOf,
  readCommit,
  reportOf,
  reportSchema,
  rowsOf,
  textOf,
  writeReadme,
} from './report.ts';
import type { RedisKind } from './redis-nodes.ts';
import { startSystem, type SystemUnderTest } from './system-under-test.ts';
import { ROOT } from '../support/root.ts';

/** On the repository's disk, not among the temporary files: those may lie in memory, where fsync costs nothing. */
const FOLDER = join(ROOT, '.data', 'faults');
const REPORT = join(ROOT, '.data', 'faults-report.json');
const namesOf = (kind: RedisKind) => faultsOf(kind).map(({ name }) => name);
const WARM_UP_MS = 120_000;
/** After all has been stopped nothing may keep this process from ending longer than this, in ms. */
const END_LIMIT_MS = 10_000;

const options = readOptions(process.argv.slice(2), namesOf);
const startedAt = performance.now();
if (typeof options === 'string') {
  process.stderr.write(`${options}\n${USAGE}\n`);
  process.exitCode = 2;
} else if (options.report === undefined) {
  process.exitCode = await run(options);
  setTimeout(tellWhatIsOpen, END_LIMIT_MS).unref();
} else await writeTable(options.report);

async function run(asked: Options): Promise<number> {
  const { seed, deliveriesPerSecond, redis } = asked;
  say(`seed ${seed}, ${deliveriesPerSecond} deliveries a second, Redis: ${redis}`);
  const system = await startSystem({ folder: FOLDER, run: `faults${seed}`, deliveriesPerSecond, seed, redis });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void system.stop().finally(() => process.exit(1)));
  }
  try {
    return asked.outage === undefined ? await breakThings(system, asked) : await takeRedisAway(system, asked.outage);
  } finally {
    await system.stop();
  }
}

async function breakThings(system: SystemUnderTest, asked: Options): Promise<number> {
  const { seed, minutes, deliveriesPerSecond, only, redis, out = REPORT } = asked;
  const faults = faultsOf(redis).filter(({ name }) => only?.some((word) => name.includes(word)) ?? true);
  const [begun, commit] = [new Date().toISOString(), await readCommit()];
  async function save(campaign: Campaign): Promise<void> {
    const tookSeconds = Math.round((performance.now() - startedAt) / 1000);
    const report = reportOf(campaign, { commit, seed, startedAt: begun, tookSeconds, deliveriesPerSecond, redis });
    await writeFile(out, fileOf(report));
  }
  const campaign = await runCampaign(system, { faults, seed, minutes, print: say, save });
  await save(campaign);
  print(`\n${textOf(rowsOf(campaign, namesOf(redis)))}\n\n${JSON.stringify(campaign.verdict)}\nreport: ${out}\n`);
  for (const problem of campaign.problems) print(`PROBLEM: ${problem}\n`);
  print(isClean(campaign) ? 'Nothing lost, nothing doubled, all healed.\n' : 'FAILED.\n');
  return isClean(campaign) ? 0 : 1;
}

async function takeRedisAway(system: SystemUnderTest, seconds: number): Promise<number> {
  system.sender.start();
  let isGood = (await untilHealthy(system, WARM_UP_MS)) !== undefined;
  for (const how of ['stopped', 'frozen'] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const outage = await measureOutage(system, how, seconds);
    say(outageText(outage));
    isGood &&= isSurvived(outage);
  }
  await system.sender.stop();
  return isGood ? 0 : 1;
}

/** Puts the tables of a report into the README. */
async function writeTable(file: string): Promise<void> {
  const report = reportSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  const readme = join(ROOT, 'test', 'faults', 'README.md');
  await writeReadme(readme, 'faults', faultTable(FAULTS, SHORT_FORM));
  await writeReadme(readme, 'node-faults', faultTable(NODE_FAULTS, SHORT_FORM_OF_CLUSTER));
  const { redis } = report;
  const part = redis === 'server' ? 'results' : `results of ${redis}`;
  await writeReadme(readme, part, markdownOf(report, namesOf(redis)));
}

/** The last word of a run that does not end by itself. */
function tellWhatIsOpen(): void {
  print(`PROBLEM: all is stopped, and something is still open: ${process.getActiveResourcesInfo().join(', ')}\n`);
  process.exit(1);
}

function say(line: string): void {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  print(`${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}  ${line}\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}
