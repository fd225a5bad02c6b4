import { parseArgs } from 'node:util';

/** What a run was asked for. */
export interface RunOptions {
  isQuick: boolean;
  /** The names of the measures to run. */
  only: readonly string[];
  /** Instead of the plan's. */
  rounds: number | undefined;
  /** Where the results go, relative to the repository. */
  folder: string;
  /** Everything in full: the charts and the tables that are committed are of it. */
  isWhole: boolean;
}

/** How to call it. */
export const USAGE = 'npm run bench -- [--quick] [--only accept,apply] [--rounds n] [--out folder]';

/**
 * Reads the arguments. A run that is not whole, or goes to a folder of its own, never stands for one that is.
 *
 * @param measures  The names that `--only` may hold.
 * @returns         The options, or what is wrong with the arguments.
 */
export function readOptions(args: readonly string[], measures: readonly string[]): RunOptions | string {
  const read = parse(args);
  if (typeof read === 'string') return read;
  const { quick = false, only, rounds, out } = read;
  const names = only?.split(',') ?? measures;
  const unknown = names.filter((name) => !measures.includes(name));
  if (unknown.length > 0) return `There is no measure "${unknown.join('", "')}". There are: ${measures.join(', ')}.`;
  if (rounds !== undefined && !/^[1-9]\d?$/.test(rounds)) return '--rounds takes a whole number from 1 to 99.';
  const extent = only !== undefined || rounds !== undefined ? 'partial' : quick ? 'quick' : 'whole';
  return {
    isQuick: quick,
    only: names,
    rounds: rounds === undefined ? undefined : Number(rounds),
    folder: out ?? `.data/bench-${extent}`,
    isWhole: extent === 'whole' && out === undefined,
  };
}

function parse(args: readonly string[]): ReturnType<typeof parseStrictly> | string {
  try {
    return parseStrictly(args);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function parseStrictly(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean' },
      only: { type: 'string' },
      rounds: { type: 'string' },
      out: { type: 'string' },
    },
  });
  return values;
}
