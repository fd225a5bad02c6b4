import { parseArgs } from 'node:util';

/** What a run was asked for. */
export interface RunOptions {
  isQuick: boolean;
  /** The names of the measures to run. */
  only: readonly string[];
  /** Instead of the plan's. */
  rounds: number | undefined;
  /** Draw anew what was measured before. */
  reportOnly: boolean;
  /** Where the results go, relative to the repository. */
  folder: string;
  /** Everything in full, to where results are committed: the README shows it. */
  isWhole: boolean;
  /** What is measured takes the place of the same measures in the committed results. */
  isRenewal: boolean;
}

/** How to call it. */
export const USAGE = `npm run bench -- [--quick] [--only accept,apply] [--rounds n] [--out folder]
npm run bench -- --renew accept,apply
npm run bench -- --report [--out folder]`;

const COMMITTED = 'bench/results';

/**
 * Reads the arguments. A run that is not whole writes to .data, so that it never stands for one that is; unless it is asked to renew
 * a part of one, which the results then say.
 *
 * @param measures  The names that `--only` and `--renew` may hold.
 * @returns         The options, or what is wrong with the arguments.
 */
export function readOptions(args: readonly string[], measures: readonly string[]): RunOptions | string {
  const read = parse(args);
  if (typeof read === 'string') return read;
  const { quick = false, only, renew, rounds, report = false, out } = read;
  const names = (renew ?? only)?.split(',') ?? measures;
  const unknown = names.filter((name) => !measures.includes(name));
  if (unknown.length > 0) return `There is no measure "${unknown.join('", "')}". There are: ${measures.join(', ')}.`;
  if (rounds !== undefined && !/^[1-9]\d?$/.test(rounds)) return '--rounds takes a whole number from 1 to 99.';
  if (renew !== undefined && (quick || report || (only ?? rounds ?? out) !== undefined))
    return '--renew takes a measure in full: no other option goes with it.';
  const isPartial = only !== undefined || rounds !== undefined;
  const folder = isPartial ? '.data/bench-partial' : quick ? '.data/bench-quick' : COMMITTED;
  return {
    isQuick: quick,
    only: names,
    rounds: rounds === undefined ? undefined : Number(rounds),
    reportOnly: report,
    folder: out ?? folder,
    isWhole: !quick && !isPartial && renew === undefined && (out === undefined || out === COMMITTED),
    isRenewal: renew !== undefined,
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
      renew: { type: 'string' },
      rounds: { type: 'string' },
      report: { type: 'boolean' },
      out: { type: 'string' },
    },
  });
  return values;
}
