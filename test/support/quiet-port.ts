import { choosePort } from '@landline/local-servers';

/** Linux gives out ports from 32768 on by itself, other systems from 49152 on. */
const FIRST = 12_000;
/** Ports of one of vitest's workers, of which there are four at most. */
const LANE = 5_000;

const lane = Number(process.env['VITEST_POOL_ID'] ?? 0) % 4;
/** A suite that runs beside this one begins elsewhere. */
let taken = process.pid * 37;

/**
 * Chooses a free port for a server that starts later, or again. No connection and no other server gets it by chance meanwhile, as it may
 * get a port that the system chose.
 */
export function chooseQuietPort(): Promise<number> {
  taken += 1;
  return choosePort(FIRST + lane * LANE + (taken % LANE));
}
