import { parseArgs } from 'node:util';

/** What a run was asked for. */
export interface Options {
  seed: number;
  minutes: number;
  deliveriesPerSecond: number;
  /** Words of which a fault's name must hold one; undefined: all faults. */
  only: readonly string[] | undefined;
  /** Where the report goes. */
  out: string | undefined;
  /** Seconds for which Redis is to be away, instead of breaking things. */
  outage: number | undefined;
  /** A report whose table is put into the README; nothing is run. */
  report: string | undefined;
}

/** How to call it. */
export const USAGE = `npm run test:faults -- [--seed n] [--minutes m] [--rate deliveries a second] [--only fault,fault] [--out file]
npm run test:faults -- --outage [seconds] [--rate n]
npm run test:faults -- --report file`;

const HOUR = 60;
const RATE = 500;
const OUTAGE_RATE = 1000;

/** Reads the arguments; a text tells what is wrong with them. */
export function readOptions(args: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string' },
        minutes: { type: 'string' },
        rate: { type: 'string' },
        only: { type: 'string' },
        out: { type: 'string' },
        outage: { type: 'string' },
        report: { type: 'string' },
      },
    });
    const number = (name: 'seed' | 'minutes' | 'rate' | 'outage', fallback: number): number => {
      const value = Number(values[name] ?? fallback);
      if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} takes a number.`);
      return value;
    };
    return {
      seed: number('seed', Math.floor(Math.random() * 2 ** 31)),
      minutes: number('minutes', HOUR),
      deliveriesPerSecond: number('rate', values.outage === undefined ? RATE : OUTAGE_RATE),
      only: values.only?.split(','),
      out: values.out,
      outage: values.outage === undefined ? undefined : number('outage', 0),
      report: values.report,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
