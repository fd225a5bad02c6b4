import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { promisify } from 'node:util';
import { z } from 'zod';
import { markdownTable, replacePart } from '../support/markdown.ts';
import { ROOT } from '../support/root.ts';
import { campaignSchema, sumOfTallies, type Campaign, type Injection, type Tally } from './campaign.ts';
import type { Fault } from './fault.ts';
import { REDIS_KINDS } from './redis-nodes.ts';

/** A run, as `--out` writes it. */
export const reportSchema = campaignSchema.extend({
  /** Of what was run; with "and changes" where files were not as they were committed. */
  commit: z.string().default('unknown'),
  seed: z.number(),
  startedAt: z.string(),
  tookSeconds: z.number(),
  deliveriesPerSecond: z.number(),
  /** What REDIS_URL named. */
  redis: z.enum(REDIS_KINDS).default('server'),
  cores: z.number(),
  node: z.string(),
});

/** See `reportSchema`. */
export type Report = z.infer<typeof reportSchema>;

const exec = promisify(execFile);

async function git(...args: string[]): Promise<string> {
  return (await exec('git', ['-C', ROOT, ...args])).stdout.trim();
}

/** The commit that is checked out, in short; "unknown" where git does not say. */
export async function readCommit(): Promise<string> {
  try {
    const [commit, changes] = [await git('rev-parse', '--short', 'HEAD'), await git('status', '--porcelain')];
    return changes === '' ? commit : `${commit} and changes`;
  } catch {
    return 'unknown';
  }
}

/** Puts a run into words that outlast it. */
export function reportOf(campaign: Campaign, run: Omit<Report, keyof Campaign | 'cores' | 'node'>): Report {
  return { ...run, cores: cpus().length, node: process.versions.node, ...campaign };
}

/** As it is kept in a file: a line for each fault that was injected. */
export function fileOf({ injections, ...report }: Report): string {
  const lines = injections.map((injection) => `\n  ${JSON.stringify(injection)}`);
  return `${JSON.stringify(report, null, 1).slice(0, -2)},\n "injections": [${lines.join(',')}\n ]\n}\n`;
}

const HEAD = [
  'fault',
  'times',
  'events answered 200 meanwhile',
  'refused',
  'unknown',
  'lost of them',
  'doubled of them',
  'seconds broken (median, most)',
  'then seconds until well (median, most)',
];

/** The table: a row for each fault, in the order of the list of faults, and their sum. */
export function rowsOf(campaign: Campaign, names: readonly string[]): string[][] {
  const { injections, otherwise, skipped, verdict } = campaign;
  const rows = names.flatMap((name) => {
    const own = injections.filter(({ fault }) => fault === name);
    const reason = skipped.find(({ fault }) => fault === name)?.reason;
    if (reason !== undefined) return [[name, `skipped: ${reason}`, ...HEAD.slice(2).map(() => '')]];
    return own.length === 0 ? [] : [[name, count(own.length), ...cellsOf(sumOfTallies(own), verdict), ...timesOf(own)]];
  });
  const all = { ...sumOfTallies([...injections, otherwise]), lost: verdict?.lost ?? 0, doubled: verdict?.doubled ?? 0 };
  return [
    HEAD,
    ['none', '', ...cellsOf(otherwise, verdict), '', ''],
    ...rows,
    ['all', count(injections.length), ...cellsOf(all, verdict), ...timesOf(injections)],
  ];
}

function cellsOf({ accepted, refused, unknown, lost, doubled }: Tally, verdict: Campaign['verdict']): string[] {
  const checked = verdict === null ? ['not checked', 'not checked'] : [lost, doubled].map(count);
  return [...[accepted, refused, unknown].map(count), ...checked];
}

function timesOf(own: readonly Injection[]): string[] {
  return [
    own.map(({ brokenSeconds }) => brokenSeconds),
    own.map(({ healthySeconds }) => healthySeconds ?? Infinity),
  ].map((seconds) => {
    const sorted = seconds.sort((a, b) => a - b);
    const told = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].filter((each) => each !== undefined);
    return told.map((each) => (each === Infinity ? 'never' : each.toFixed(1))).join(', ');
  });
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** For a terminal. */
export function textOf(rows: readonly string[][]): string {
  const widths = HEAD.map((_, i) =>
    Math.max(...rows.map((row) => (i === 1 && isSkipped(row) ? 0 : (row[i] ?? '').length))),
  );
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function isSkipped(row: readonly string[]): boolean {
  return row[1]?.startsWith('skipped') ?? false;
}

/** For the README. @throws When the tables were not checked. */
export function markdownOf(report: Report, names: readonly string[]): string {
  const { injections, otherwise, seed, startedAt, tookSeconds, deliveriesPerSecond, verdict } = report;
  if (verdict === null) throw new Error('The tables of this run were not checked.');
  const kinds = new Set(injections.map(({ fault }) => fault)).size;
  const { accepted } = sumOfTallies([...injections, otherwise]);
  return [
    `${startedAt.slice(0, 10)}, commit ${report.commit}, seed ${seed}, ${Math.round(tookSeconds / 60)} minutes on ${report.cores} cores, Node ${report.node}, ` +
      `${deliveriesPerSecond} deliveries a second: ${count(injections.length)} faults of ${kinds} kinds, ` +
      `${count(accepted)} events answered 200, **${count(verdict.lost)} lost, ${count(verdict.doubled)} doubled**.`,
    `Refused and in the tables all the same: ${verdict.refusedButStored}. Dead letters: ${count(verdict.deadLetters)}, of events that nothing is wrong with: ` +
      `${verdict.innocentDead}. Poison that is no dead letter: ${verdict.poisonApplied}. Ledger rows that nobody sent: ${verdict.foreign}, ` +
      `with other bytes: ${verdict.altered}. Of ${count(verdict.rows)} rows, those that are not with every column what the events tell: ${verdict.differing}.`,
    `Recordings: ${count(verdict.recordings)}, of these not in the storage as they were sent: ${verdict.missingObjects}. Objects that no row names: ${verdict.orphans}. Files left in the spool: ${verdict.spoolFiles}.`,
    ...report.problems.map((problem) => `**${problem}**`),
    '',
    markdownTable(rowsOf(report, names), 1),
  ].join('\n');
}

/** What is broken, how, and by which test: for the README. `short` names what the short form breaks too. */
export function faultTable(faults: readonly Fault[], short: readonly string[]): string {
  const rows = faults.map(({ name, how, isLong }) => {
    const test = short.includes(name) ? 'both' : 'long form';
    return [`${name}${isLong === true ? ' (seldom: it takes long)' : ''}`, how, test];
  });
  return markdownTable([['fault', 'how', 'test'], ...rows], 3);
}

/** Puts Markdown between the marks of a README that have this name. */
export async function writeReadme(path: string, name: string, markdown: string): Promise<void> {
  await writeFile(path, replacePart(await readFile(path, 'utf8'), name, markdown));
}
