import { parseArgs } from 'node:util';

/** The options of a run. */
export interface RunOptions {
  isQuick: boolean;
  /** The names of the measures to run. */
  only: readonly string[];
  /** The number of rounds; undefined: as the plan says. */
  rounds: number | undefined;
  /** The folder for the results, relative to the repository. */
  folder: string;
  /** Whether every measure runs in full. Only such a run renews the committed charts and tables. */
  isWhole: boolean;
}

/** The usage of `npm run bench`. */
export const USAGE = 'npm run bench -- [--quick] [--only accept,apply] [--rounds n] [--out folder]';

/**
 * Reads the arguments. A run of some measures, or with a folder of its own, never renews the committed results.
 *
 * @param measures  The names that `--only` may hold.
 * @returns         The options, or the fault of the arguments as a sentence.
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
