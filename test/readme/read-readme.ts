import { readFileSync } from 'node:fs';
import { readBlocks, splitCommands } from '../typing/blocks.ts';

/** A command that a reader types. */
export interface Command {
  text: string;
  /** Lines that the command must print, in their order; an ellipsis stands for any text within a line. */
  prints: string[];
}

/** The commands of one block, and the output that the page shows below them. */
export interface Passage {
  commands: string[];
  /** The lines of each block of output. */
  shown: string[];
}

/** Reads the commands of a page in the repository's folder, and the output that it shows. */
export function readPassages(page: string): Passage[] {
  return passagesOf(readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8'));
}

/** Groups blocks: those of the kind `sh` are commands, those of the kind `output` belong to the commands above them. */
export function passagesOf(page: string): Passage[] {
  const passages: Passage[] = [];
  for (const { language, text } of readBlocks(page)) {
    if (language === 'sh') passages.push({ commands: splitCommands(text), shown: [] });
    if (language === 'output') passages.at(-1)?.shown.push(text);
  }
  return passages;
}

/** Reads .ci/readme.txt: the commands that need no Docker. */
export function readCommands(): Command[] {
  const commands: Command[] = [];
  for (const line of readFileSync(new URL('../../.ci/readme.txt', import.meta.url), 'utf8').split('\n')) {
    if (line.startsWith('    ')) commands.at(-1)?.prints.push(line.trim());
    else if (line !== '' && !line.startsWith('#')) commands.push({ text: line, prints: [] });
  }
  return commands;
}

/**
 * Finds lines in an output, in their order. A run of spaces or of hyphens counts as one: the width of a column depends on its values.
 *
 * @param shown    Lines; an ellipsis stands for any text within a line, at the end of a line also for none.
 * @param output   The printed output. A line may be part of a longer one, such as a log line in JSON.
 * @returns        The lines that the output lacks.
 */
export function missingLines(shown: readonly string[], output: string): string[] {
  let rest = output.split('\n').map(squeeze);
  return shown.filter((line) => {
    const found = rest.findIndex((printed) => patternOf(line).test(printed));
    if (found < 0) return true;
    rest = rest.slice(found + 1);
    return false;
  });
}

function patternOf(line: string): RegExp {
  const parts = squeeze(line).split('…');
  return new RegExp(parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join('.*'));
}

function squeeze(line: string): string {
  return line.trim().replaceAll(/ +/g, ' ').replaceAll(/-+/g, '-');
}
