import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replacePart } from '../../test/support/markdown.ts';
import { drawPictures } from './pictures.ts';
import type { Report } from './report.ts';
import { renewScaleDoc } from './scale-tables.ts';
import { goalTable, markdownOf, measureTables } from './tables.ts';
import { unitFiguresOf } from './unit-figures.ts';

/** The file with the figures of unit-cost, in the folder of the results. */
export const UNIT_FIGURES = 'unit-cost.json';

/** Writes the report of a run, as results.json, the figures of unit-cost and the pictures into `folder`. */
export async function writeReport(report: Report, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'results.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writePictures(report, folder);
  await writeUnitFigures(report, folder);
}

async function writeUnitFigures(report: Report, folder: string): Promise<void> {
  const figures = unitFiguresOf(report);
  if (figures) await writeFile(join(folder, UNIT_FIGURES), `${JSON.stringify(figures, null, 2)}\n`);
}

async function writePictures({ measured }: Report, folder: string): Promise<void> {
  await Promise.all(drawPictures(measured).map(({ file, svg }) => writeFile(join(folder, file), svg)));
}

/** Writes the pictures into results/ of the folder `bench`, and the figures between the marks of its README.md and of docs/scale.md. */
export async function publish(report: Report, bench: string): Promise<void> {
  await writePictures(report, join(bench, 'results'));
  await writeUnitFigures(report, join(bench, 'results'));
  const readme = join(bench, 'README.md');
  await writeFile(readme, replacePart(await readFile(readme, 'utf8'), 'results', resultsText(report)));
  const figures = unitFiguresOf(report);
  const scale = join(bench, '..', 'docs', 'scale.md');
  if (figures) await writeFile(scale, renewScaleDoc(await readFile(scale, 'utf8'), figures));
}

/** Formats the figures of a run as Markdown: the machine, the goals, the pictures and every table. */
export function resultsText(report: Report): string {
  const { machine, startedAt, tookSeconds, measured, goals, faults } = report;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const settings = Object.entries(report.settings).map(([name, value]) => `${name}=${value}`);
  const intro = [
    `Measured on ${startedAt.slice(0, 10)} in ${Math.round(tookSeconds / 60)} minutes on ${machine.cpu}, ${machine.cores} cores,`,
    `${machine.memoryGb} GB, ${machine.kernel}; 4 KB are on disk after ${machine.fsyncMs} ms (write and fdatasync, median).`,
    `${versions.join(', ')}. Settings: ${settings.join(', ')}.`,
    'Cells are medians of the rounds, with the least and the greatest in brackets.',
  ].join('\n');
  const pictures = drawPictures(measured).map(({ file, title }) => `![${title}](results/${file})`);
  const broken = faults.map((fault) => `**Broken off:** ${fault.replaceAll('\n', ' ')}`);
  const tables = measureTables(measured).map(markdownOf);
  return [intro, ...broken, markdownOf(goalTable(goals)), ...pictures, ...tables].join('\n\n');
}
