import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { seededRandom } from '../support/seeded-random.ts';
import { checkAll, verdictSchema, type Checked } from './check.ts';
import type { Fault } from './fault.ts';
import { countFailed, untilHealthy, untilIdle, untilLettersLie } from './health.ts';
import type { SystemUnderTest } from './system-under-test.ts';

/** What became of the deliveries of a time, and of the events that were accepted in it. */
const tallySchema = z.object({
  accepted: z.number(),
  refused: z.number(),
  unknown: z.number(),
  lost: z.number(),
  doubled: z.number(),
});

/** See `tallySchema`. */
export type Tally = z.infer<typeof tallySchema>;

/** What came of breaking things. */
export const campaignSchema = z.object({
  /** Those that did happen. */
  injections: z.array(
    tallySchema.extend({
      fault: z.string(),
      /** Seconds since the beginning. */
      at: z.number(),
      /** Until it was healed: killed processes were started again, what must be noticed was waited for. */
      brokenSeconds: z.number(),
      /** From then until service was well again; null: it was not. */
      healthySeconds: z.number().nullable(),
    }),
  ),
  /** Before the first fault, and while one was tried that did not happen. */
  otherwise: tallySchema,
  skipped: z.array(z.object({ fault: z.string(), reason: z.string() })),
  /** What went wrong beyond what is counted; none of it may happen. */
  problems: z.array(z.string()),
  /** null: the tables have not been checked, and whatever is said to be lost or doubled is not known. */
  verdict: verdictSchema.nullable(),
});

/** See `campaignSchema`. */
export type Campaign = z.infer<typeof campaignSchema>;

/** One fault that was injected. */
export type Injection = Campaign['injections'][number];

export interface CampaignOptions {
  faults: readonly Fault[];
  seed: number;
  /** Injects each fault once, and goes on until so long after the beginning; undefined: once. */
  minutes: number | undefined;
  print: (line: string) => void;
  /** Is given all there is after each fault, before the tables are checked. */
  save?: (campaign: Campaign) => Promise<void>;
}

const WARM_UP_MS = 2000;
/** Service must be well again after so long, in ms. */
const HEAL_LIMIT_MS = 120_000;
const SETTLE_LIMIT_MS = 300_000;
const LETTERS_LIMIT_MS = 60_000;
/** A long fault comes in the first round, and then in every so many. */
const LONG_EVERY = 3;
/** What a long fault may take with its healing, in ms: none begins later. */
const LONG_MS = 90_000;
/** Between service being well and the next fault, at most, in ms. */
const CALM_MS = 1000;
/** How long it is tried to start again what a fault left stopped: its port may be another's for a while. In ms. */
const REVIVE_LIMIT_MS = 60_000;
const TRY_AGAIN_MS = 1000;

/** Breaks one thing at a time, heals it, waits until service is well; at the end holds the sender's ledger against the tables. */
export async function runCampaign(
  system: SystemUnderTest,
  { faults, seed, minutes, print, save }: CampaignOptions,
): Promise<Campaign> {
  const { sent, sender } = system;
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const leftMs = () => (minutes === undefined ? Infinity : minutes * 60_000 - elapsed());
  const fits = ({ isLong }: Fault) => leftMs() > (isLong === true ? LONG_MS : 0);
  const problems: string[] = [];
  const injected: (Omit<Injection, keyof Tally> & { period: number })[] = [];
  const otherPeriods = [0];
  let failedJobs = 0;
  const { possible, skipped } = await sort(faults, system);
  for (const { fault, reason } of skipped) print(`skipped: ${fault}: ${reason}`);

  sender.start();
  await wait(WARM_UP_MS);
  const isWell = await attempt('before the first fault', () => untilHealthy(system, HEAL_LIMIT_MS));
  if (isWell === undefined) problem('service is not well before the first fault');
  for (const { fault, round } of planOf(possible, { seed, isEndless: minutes !== undefined })) {
    if (round > 0 && !possible.some(fits)) break;
    if (round > 0 && !fits(fault)) continue;
    // oxlint-disable no-await-in-loop -- one thing at a time
    await injectOnce(fault);
    await attempt('the report', async () => save?.(campaign()));
    await wait(system.random.below(CALM_MS));
    // oxlint-enable no-await-in-loop
  }
  await sender.stop();
  return settle();

  function problem(text: string): void {
    problems.push(text);
    print(`PROBLEM: ${text}`);
  }

  /** What goes wrong is a problem, and not the end of an hour's run. */
  async function attempt<T>(what: string, step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      problem(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  async function injectOnce(fault: Fault): Promise<void> {
    const { name } = fault;
    const evidence = () => attempt(name, async () => fault.evidence?.(system));
    // It may empty Redis.
    await attempt(name, tellFailedJobs);
    const before = await evidence();
    const period = sent.nextPeriod();
    const at = elapsed();
    const isDone = await attempt(name, () => fault.inject(system).then(() => true));
    const brokenSeconds = (elapsed() - at) / 1000;
    await reviveAll();
    const healthySeconds = (await attempt(name, () => untilHealthy(system, HEAL_LIMIT_MS))) ?? null;
    if (healthySeconds === null) {
      problem(`${name}: service is not well two minutes later; ${sent.unseenCount()} events are not in the tables`);
      // The next fault is not to wait for them; the check at the end will find them.
      for (const event of sent.unseen(Infinity)) sent.seen(event);
    }
    const hasStruck = fault.evidence === undefined || ((await evidence()) ?? 0) > (before ?? Infinity);
    if (isDone && !hasStruck) problem(`${name}: nothing shows that it happened`);
    if (isDone && hasStruck) injected.push({ fault: name, at: at / 1000, brokenSeconds, healthySeconds, period });
    else otherPeriods.push(period);
    const { accepted, refused, unknown } = sent.counts(period);
    print(
      `${name}: broken ${brokenSeconds.toFixed(1)} s, well after ${healthySeconds?.toFixed(1) ?? 'never'} s; ` +
        `${accepted} accepted, ${refused} refused, ${unknown} unknown`,
    );
  }

  /** Nothing may end by itself, nor stay stopped; what did, is told and started again. */
  async function reviveAll(): Promise<void> {
    // oxlint-disable no-await-in-loop -- servers before apps, and seldom any
    for (const { name, isRunning, start } of serversOf(system)) {
      if (isRunning()) continue;
      problem(`${name} was not started again`);
      await attempt(name, () => startPatiently(start));
    }
    for (const app of [...system.receivers, ...system.workers]) {
      const ownEnd = app.takeOwnEnd();
      if (ownEnd !== undefined) problem(ownEnd);
      if (app.isRunning()) continue;
      if (ownEnd === undefined) problem(`${app.name} was not started again`);
      await attempt(app.name, () => app.start());
    }
    // oxlint-enable no-await-in-loop
  }

  async function tellFailedJobs(): Promise<void> {
    const before = failedJobs;
    failedJobs = await countFailed(system);
    if (failedJobs > before) problem(`${failedJobs} jobs rest in failed`);
  }

  async function settle(): Promise<Campaign> {
    const end = 'at the end';
    await reviveAll();
    const healthy = await attempt(end, () => untilHealthy(system, SETTLE_LIMIT_MS));
    if (healthy === undefined) problem('not all that was answered 200 came into the tables');
    const isIdle = await attempt(end, () => untilIdle(system, SETTLE_LIMIT_MS));
    if (isIdle !== true) problem('the queue does not come to rest');
    await attempt(end, tellFailedJobs);
    await attempt(end, () => untilLettersLie(system, LETTERS_LIMIT_MS));
    const checked = await attempt(end, () => checkAll(system));
    checked?.examples.forEach(problem);
    return campaign(checked);
  }

  function campaign(checked?: Checked): Campaign {
    const tallyOf = (period: number): Tally => ({
      ...sent.counts(period),
      ...(checked?.wrong.get(period) ?? { lost: 0, doubled: 0 }),
    });
    return {
      injections: injected.map(({ period, ...injection }) => ({ ...injection, ...tallyOf(period) })),
      otherwise: sumOfTallies(otherPeriods.map(tallyOf)),
      skipped,
      problems,
      verdict: checked?.verdict ?? null,
    };
  }
}

/** A server that a fault may leave stopped. */
interface Server {
  name: string;
  isRunning: () => boolean;
  start: () => Promise<void>;
}

function serversOf(system: SystemUnderTest): Server[] {
  const { nodes, postgres } = system;
  const redisServers =
    nodes === undefined
      ? [{ name: 'Redis', isRunning: system.redis.isRunning, start: system.redis.start }]
      : nodes.all.map(({ isRunning, restart }, i) => ({ name: `Redis ${i + 1}`, isRunning, start: restart }));
  return [...redisServers, { name: 'Postgres', isRunning: postgres.isRunning, start: postgres.start }];
}

async function startPatiently(start: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + REVIVE_LIMIT_MS;
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- tried again until it starts
      return await start();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      // oxlint-disable-next-line no-await-in-loop -- tried again until it starts
      await wait(TRY_AGAIN_MS);
    }
  }
}

/** All of them together. */
export function sumOfTallies(tallies: readonly Tally[]): Tally {
  const sum = { accepted: 0, refused: 0, unknown: 0, lost: 0, doubled: 0 };
  for (const { accepted, refused, unknown, lost, doubled } of tallies) {
    sum.accepted += accepted;
    sum.refused += refused;
    sum.unknown += unknown;
    sum.lost += lost;
    sum.doubled += doubled;
  }
  return sum;
}

/** Rounds of all faults, each in another order; without end, or one. */
function* planOf(
  faults: readonly Fault[],
  { seed, isEndless }: { seed: number; isEndless: boolean },
): Generator<{ fault: Fault; round: number }> {
  const random = seededRandom(seed);
  const rounds = isEndless && faults.length > 0 ? Infinity : 1;
  for (let round = 0; round < rounds; round++) {
    const due = faults.filter(({ isLong }) => isLong !== true || round % LONG_EVERY === 0);
    for (const fault of random.shuffled(due)) yield { fault, round };
  }
}

async function sort(
  faults: readonly Fault[],
  system: SystemUnderTest,
): Promise<{ possible: Fault[]; skipped: { fault: string; reason: string }[] }> {
  const possible: Fault[] = [];
  const skipped: { fault: string; reason: string }[] = [];
  for (const fault of faults) {
    // oxlint-disable-next-line no-await-in-loop -- a few, in order
    const reason = await fault.unless?.(system);
    if (reason === undefined) possible.push(fault);
    else skipped.push({ fault: fault.name, reason });
  }
  return { possible, skipped };
}

/** Whether something was broken, and nothing went wrong. */
export function isClean({ injections, otherwise, problems, verdict }: Campaign): boolean {
  if (verdict === null || injections.length === 0 || sumOfTallies([...injections, otherwise]).accepted === 0)
    return false;
  const { events: _events, rows: _rows, deadLetters: _letters, recordings: _recordings, ...wrong } = verdict;
  const faults = Object.values(wrong).reduce((sum, each) => sum + Math.abs(each), 0);
  return faults === 0 && problems.length === 0 && injections.every(({ healthySeconds }) => healthySeconds !== null);
}
