import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { z } from 'zod';
import { campaignSchema, type Campaign, type Injection } from './campaign.ts';
import type { Fault } from './fault.ts';

/** A run, as `--out` writes it. */
export const reportSchema = campaignSchema.extend({
  seed: z.number(),
  startedAt: z.string(),
  tookSeconds: z.number(),
  deliveriesPerSecond: z.number(),
  cores: z.number(),
  node: z.string(),
});

/** See `reportSchema`. */
export type Report = z.infer<typeof reportSchema>;

/** Puts a run into words that outlast it. */
export function reportOf(campaign: Campaign, run: Omit<Report, keyof Campaign | 'cores' | 'node'>): Report {
  return { ...run, cores: cpus().length, node: process.versions.node, ...campaign };
}

const HEAD = [
  'fault',
  'times',
  'events answered 200',
  'refused',
  'unknown',
  'lost',
  'doubled',
  'seconds until healthy (median, most)',
];

/** The table: a row for each fault, in the order of the list of faults, and their sum. */
export function rowsOf({ injections, before, skipped, verdict }: Campaign, names: readonly string[]): string[][] {
  const rows = names.flatMap((name) => {
    const own = injections.filter(({ fault }) => fault === name);
    const reason = skipped.find(({ fault }) => fault === name)?.reason;
    if (reason !== undefined) return [[name, `skipped: ${reason}`, '', '', '', '', '', '']];
    return own.length === 0 ? [] : [rowOf(name, own)];
  });
  const all = rowOf('all', injections);
  return [
    HEAD,
    ['none yet', '', ...[before.accepted, before.refused, before.unknown].map(count), '0', '0', ''],
    ...rows,
    [
      ...all.slice(0, 2),
      count(acceptedIn({ injections, before })),
      ...all.slice(3, 5),
      count(verdict.lost),
      count(verdict.doubled),
      ...all.slice(7),
    ],
  ];
}

/** Events that were answered 200, each counted once. */
export function acceptedIn({ injections, before }: Pick<Campaign, 'injections' | 'before'>): number {
  return injections.reduce((sum, { accepted }) => sum + accepted, before.accepted);
}

function rowOf(name: string, own: readonly Injection[]): string[] {
  const sum = (key: 'accepted' | 'refused' | 'unknown' | 'lost' | 'doubled') =>
    count(own.reduce((total, injection) => total + injection[key], 0));
  const seconds = own.map(({ healthySeconds }) => healthySeconds ?? Infinity).sort((a, b) => a - b);
  const told = [seconds[Math.floor(seconds.length / 2)], seconds.at(-1)].map((each) =>
    each === undefined || each === Infinity ? 'never' : each.toFixed(1),
  );
  return [
    name,
    count(own.length),
    sum('accepted'),
    sum('refused'),
    sum('unknown'),
    sum('lost'),
    sum('doubled'),
    told.join(', '),
  ];
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

/** For the README. */
export function markdownOf(report: Report, names: readonly string[]): string {
  const { injections, seed, startedAt, tookSeconds, deliveriesPerSecond, verdict } = report;
  const [head = [], ...body] = rowsOf(report, names).map((row) => `| ${row.join(' | ')} |`);
  const kinds = new Set(injections.map(({ fault }) => fault)).size;
  return [
    `${startedAt.slice(0, 10)}, seed ${seed}, ${Math.round(tookSeconds / 60)} minutes on ${report.cores} cores, Node ${report.node}, ` +
      `${deliveriesPerSecond} deliveries a second: ${count(injections.length)} faults of ${kinds} kinds, ` +
      `${count(acceptedIn(report))} events answered 200, **${count(verdict.lost)} lost, ${count(verdict.doubled)} doubled**.`,
    `Refused and in the tables all the same: ${verdict.refusedButStored}. Dead letters: ${count(verdict.deadLetters)}, of events that nothing is wrong with: ` +
      `${verdict.innocentDead}. Ledger rows that nobody sent: ${verdict.foreign}, with other bytes: ${verdict.altered}. ` +
      `Calls whose messages do not match their events: ${verdict.incomplete}.`,
    ...report.problems.map((problem) => `**${problem}**`),
    '',
    head,
    `| --- ${'| ---: '.repeat(HEAD.length - 1)}|`,
    ...body,
  ].join('\n');
}

/** What is broken, and how: for the README. */
export function faultTable(faults: readonly Fault[]): string {
  const rows = faults.map(
    ({ name, how, isLong }) => `| ${name}${isLong === true ? ' (seldom: it takes long)' : ''} | ${how} |`,
  );
  return ['| fault | how |', '| --- | --- |', ...rows].join('\n');
}

/** Puts Markdown between the marks of a README that have this name. */
export async function writeReadme(path: string, name: 'faults' | 'results', markdown: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} has no ${start} … ${end}.`);
  await writeFile(path, `${text.slice(0, from + start.length)}\n\n${markdown}\n\n${text.slice(to)}`);
}
