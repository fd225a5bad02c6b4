import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawPictures } from './pictures.ts';
import { reportSchema, type Report } from './report.ts';
import { goalTable, markdownOf, measureTables } from './tables.ts';

const START = '<!-- results -->';
const END = '<!-- /results -->';

/** Writes latest.json and the pictures into `folder`; pictures of an earlier run go. */
export async function writeReport(report: Report, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'latest.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writePictures(report, folder);
}

/** Draws the pictures of a report anew. */
export async function writePictures({ measured }: Report, folder: string): Promise<void> {
  const old = (await readdir(folder)).filter((name) => name.endsWith('.svg'));
  await Promise.all(old.map((name) => rm(join(folder, name))));
  await Promise.all(drawPictures(measured).map(({ file, svg }) => writeFile(join(folder, file), svg)));
}

/** Reads a report that was written earlier. */
export async function readReport(folder: string): Promise<Report> {
  return reportSchema.parse(JSON.parse(await readFile(join(folder, 'latest.json'), 'utf8')));
}

/** Puts the figures between the marks of a README. */
export async function writeReadme(report: Report, path: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  await writeFile(path, withResults(text, resultsText(report)));
}

/** Replaces what stands between the marks. */
export function withResults(readme: string, results: string): string {
  const [start, end] = [readme.indexOf(START), readme.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`The README has no ${START} … ${END}.`);
  return `${readme.slice(0, start + START.length)}\n\n${results}\n\n${readme.slice(end)}`;
}

/** The figures of a run in Markdown: on what, the goals, the pictures, every table. */
export function resultsText(report: Report): string {
  const { machine, startedAt, tookSeconds, measured, goals, faults, renewed } = report;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const settings = Object.entries(report.settings).map(([name, value]) => `${name}=${value}`);
  const intro = [
    `Measured on ${startedAt.slice(0, 10)} in ${Math.round(tookSeconds / 60)} minutes on ${machine.cpu}, ${machine.cores} cores,`,
    `${machine.memoryGb} GB, ${machine.kernel}; 4 KB are on disk after ${machine.fsyncMs} ms (write and fdatasync, median).`,
    `${versions.join(', ')}. Settings: ${settings.join(', ')}.`,
    ...renewed.map(
      (one) =>
        `Taken again by itself: ${one.measures.join(', ')}, ${one.startedAt.slice(0, 10)}, in ${Math.round(one.tookSeconds / 60)} minutes.`,
    ),
    'Cells are medians of the rounds, with the least and the greatest in brackets.',
  ].join('\n');
  const pictures = drawPictures(measured).map(({ file, title }) => `![${title}](results/${file})`);
  const broken = faults.map((fault) => `**Broken off:** ${fault.replaceAll('\n', ' ')}`);
  const tables = measureTables(measured).map(markdownOf);
  return [intro, ...broken, markdownOf(goalTable(goals)), ...pictures, ...tables].join('\n\n');
}
