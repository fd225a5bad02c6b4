import { parseArgs } from 'node:util';

/** The options of a run. */
export interface RunOptions {
  isQuick: boolean;
  /** The names of the measures to run. */
  only: readonly string[];
  /** The number of rounds; undefined: as the plan says. */
  rounds: number | undefined;
  /** The names of the contenders; undefined: all. */
  contenders: readonly string[] | undefined;
  /** The folder for the results, relative to the repository. */
  folder: string;
  /** Whether every measure runs in full. Only such a run renews the committed charts and tables. */
  isWhole: boolean;
}

/** The usage of `npm run bench`. */
export const USAGE =
  'npm run bench -- [--quick] [--only accept,apply] [--contenders landline,direct] [--rounds n] [--out folder]';

/** The names that the options may hold. */
export interface Names {
  measures: readonly string[];
  contenders: readonly string[];
}

/**
 * Reads the arguments. A run of some measures or contenders, or with a folder of its own, never renews the committed results.
 *
 * @returns  The options, or the fault of the arguments as a sentence.
 */
export function readOptions(args: readonly string[], { measures, contenders }: Names): RunOptions | string {
  const read = parse(args);
  if (typeof read === 'string') return read;
  const { quick = false, only, rounds, out } = read;
  const names = only?.split(',') ?? measures;
  const chosen = read.contenders?.split(',');
  const fault = unknownName('measure', names, measures) ?? unknownName('contender', chosen ?? [], contenders);
  if (fault !== undefined) return fault;
  if (rounds !== undefined && !/^[1-9]\d?$/.test(rounds)) return '--rounds takes a whole number from 1 to 99.';
  const extent = (only ?? chosen ?? rounds) !== undefined ? 'partial' : quick ? 'quick' : 'whole';
  return {
    isQuick: quick,
    only: names,
    contenders: chosen,
    rounds: rounds === undefined ? undefined : Number(rounds),
    folder: out ?? `.data/bench-${extent}`,
    isWhole: extent === 'whole' && out === undefined,
  };
}

function unknownName(kind: string, names: readonly string[], known: readonly string[]): string | undefined {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return undefined;
  return `There is no ${kind} "${unknown.join('", "')}". There are: ${known.join(', ')}.`;
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
      contenders: { type: 'string' },
      rounds: { type: 'string' },
      out: { type: 'string' },
    },
  });
  return values;
}
