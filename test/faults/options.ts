import { parseArgs } from 'node:util';
import { REDIS_KINDS, type RedisKind } from './redis-nodes.ts';

/** What a run was asked for. */
export interface Options {
  seed: number;
  /** Until no other fault is begun; each is injected once all the same. */
  minutes: number;
  deliveriesPerSecond: number;
  /** Words of which a fault's name must hold one; undefined: all faults. */
  only: readonly string[] | undefined;
  /** Where the report goes; undefined: into .data. */
  out: string | undefined;
  /** Seconds for which Redis is to be away, instead of breaking things. */
  outage: number | undefined;
  /** What REDIS_URL names. */
  redis: RedisKind;
  /** A report whose table is put into the README; nothing is run. */
  report: string | undefined;
}

/** How to call it. */
export const USAGE = `npm run test:faults -- [--seed n] [--minutes m] [--rate deliveries a second] [--only fault,fault] [--out file] [--redis server|servers|sentinel|cluster]
npm run test:faults -- --outage [seconds] [--rate n]
npm run test:faults -- --report file`;

const HOUR = 60;
const RATE = 500;
const OUTAGE_RATE = 1000;
const OUTAGE_SECONDS = '60';

/**
 * Reads the arguments; a text tells what is wrong with them.
 *
 * @param namesOf  The names of the faults of a kind of Redis.
 */
export function readOptions(
  args: readonly string[],
  namesOf: (kind: RedisKind) => readonly string[],
): Options | string {
  try {
    const { values } = parseArgs({
      args: args.flatMap((arg, i) => (isBareOutage(arg, args[i + 1]) ? [arg, OUTAGE_SECONDS] : [arg])),
      options: {
        seed: { type: 'string' },
        minutes: { type: 'string' },
        rate: { type: 'string' },
        only: { type: 'string' },
        out: { type: 'string' },
        outage: { type: 'string' },
        report: { type: 'string' },
        redis: { type: 'string' },
      },
    });
    const number = (name: 'seed' | 'minutes' | 'rate' | 'outage', fallback: number): number => {
      const value = Number(values[name] ?? fallback);
      const isAllowed = Number.isFinite(value) && (value > 0 || (value === 0 && name === 'seed'));
      if (!isAllowed) throw new Error(`--${name} takes a number above 0.`);
      return value;
    };
    const redis = REDIS_KINDS.find((kind) => kind === (values.redis ?? 'server'));
    if (redis === undefined) throw new Error(`--redis takes one of: ${REDIS_KINDS.join(', ')}.`);
    if (redis !== 'server' && values.outage !== undefined) throw new Error('--outage takes one Redis server.');
    const only = values.only?.split(',');
    const stray = only?.find((word) => !namesOf(redis).some((name) => name.includes(word)));
    if (stray !== undefined) throw new Error(`No fault's name holds "${stray}".`);
    return {
      seed: number('seed', Math.floor(Math.random() * 2 ** 31)),
      minutes: number('minutes', HOUR),
      deliveriesPerSecond: number('rate', values.outage === undefined ? RATE : OUTAGE_RATE),
      only,
      out: values.out,
      outage: values.outage === undefined ? undefined : number('outage', Number.NaN),
      redis,
      report: values.report,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `--outage` without its seconds, which parseArgs does not allow. */
function isBareOutage(arg: string, next: string | undefined): boolean {
  return arg === '--outage' && (next?.startsWith('--') ?? true);
}
