import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { seededRandom } from '../support/seeded-random.ts';
import { checkAll, verdictSchema } from './check.ts';
import type { Fault } from './fault.ts';
import { untilHealthy, untilIdle } from './health.ts';
import type { Rig } from './rig.ts';

const answers = { accepted: z.number(), refused: z.number(), unknown: z.number() };

/** What came of breaking things. */
export const campaignSchema = z.object({
  injections: z.array(
    z.object({
      fault: z.string(),
      /** Seconds since the beginning. */
      at: z.number(),
      /** Until it was healed. */
      brokenSeconds: z.number(),
      /** From then until service was well again; null: it was not. */
      healthySeconds: z.number().nullable(),
      ...answers,
      lost: z.number(),
      doubled: z.number(),
    }),
  ),
  /** Of before the first fault. */
  before: z.object(answers),
  skipped: z.array(z.object({ fault: z.string(), reason: z.string() })),
  /** What went wrong beyond what is counted; none of it may happen. */
  problems: z.array(z.string()),
  verdict: verdictSchema,
});

/** See `campaignSchema`. */
export type Campaign = z.infer<typeof campaignSchema>;

/** One fault that was injected. */
export type Injection = Campaign['injections'][number];

export interface CampaignOptions {
  faults: readonly Fault[];
  seed: number;
  /** Goes on for so long; undefined: until each fault was injected once. */
  minutes: number | undefined;
  print: (line: string) => void;
}

const WARM_UP_MS = 2000;
/** Service must be well again after so long, in ms. */
const HEAL_LIMIT_MS = 120_000;
const SETTLE_LIMIT_MS = 300_000;
/** A long fault comes in the first round, and then in every so many. */
const LONG_EVERY = 3;
/** What a long fault may take with its healing, in ms: none begins later. */
const LONG_MS = 90_000;
/** Between service being well and the next fault, at most, in ms. */
const CALM_MS = 1000;

/** Breaks one thing at a time, heals it, waits until service is well; at the end holds the sender's ledger against the tables. */
export async function runCampaign(rig: Rig, { faults, seed, minutes, print }: CampaignOptions): Promise<Campaign> {
  const { sent, sender } = rig;
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const leftMs = () => (minutes === undefined ? Infinity : minutes * 60_000 - elapsed());
  const problems: string[] = [];
  const injections: Injection[] = [];
  const { possible, skipped } = await sort(faults, rig);
  for (const { fault, reason } of skipped) print(`skipped: ${fault}: ${reason}`);

  function problem(text: string): void {
    problems.push(text);
    print(`PROBLEM: ${text}`);
  }

  sender.start();
  await wait(WARM_UP_MS);
  if ((await untilHealthy(rig, HEAL_LIMIT_MS)) === undefined) problem('service is not well before the first fault');
  for (const fault of planOf(possible, { seed, isEndless: minutes !== undefined })) {
    if (leftMs() <= 0) break;
    if (fault.isLong && leftMs() < LONG_MS) continue;
    // oxlint-disable-next-line no-await-in-loop -- one thing at a time
    await injectOnce(fault);
  }
  await sender.stop();
  const healthy = await untilHealthy(rig, SETTLE_LIMIT_MS);
  if (healthy === undefined) problem('not all that was answered 200 came into the tables');
  if (!(await untilIdle(rig, SETTLE_LIMIT_MS))) problem('the queue does not come to rest');
  const failed = Number(await rig.redis.run(['ZCARD', '{landline}:webhook-events:failed']));
  if (failed > 0) problem(`${failed} jobs rest in failed`);
  const { wrong, examples, ...verdict } = await checkAll(sent, rig.postgres);
  examples.forEach(problem);
  return {
    injections: injections.map((injection, i) => ({
      ...injection,
      ...sent.counts(i + 1),
      ...wrong.get(i + 1),
    })),
    before: sent.counts(0),
    skipped,
    problems,
    verdict,
  };

  async function injectOnce(fault: Fault): Promise<void> {
    const period = sent.nextPeriod();
    const at = elapsed();
    let brokenSeconds = 0;
    try {
      await fault.inject(rig);
    } catch (error) {
      problem(`${fault.name}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      brokenSeconds = (elapsed() - at) / 1000;
    }
    await reviveAll();
    const healthySeconds = (await untilHealthy(rig, HEAL_LIMIT_MS)) ?? null;
    if (healthySeconds === null) {
      problem(
        `${fault.name}: service is not well two minutes later; ${sent.unseenCount()} events are not in the tables`,
      );
      // The next fault is not to wait for them; the check at the end will find them.
      for (const event of sent.unseen(Infinity)) sent.seen(event);
    }
    const counts = sent.counts(period);
    injections.push({
      fault: fault.name,
      at: at / 1000,
      brokenSeconds,
      healthySeconds,
      lost: 0,
      doubled: 0,
      ...counts,
    });
    print(
      `${fault.name}: broken ${brokenSeconds.toFixed(1)} s, well after ${healthySeconds?.toFixed(1) ?? 'never'} s; ` +
        `${counts.accepted} accepted, ${counts.refused} refused, ${counts.unknown} unknown`,
    );
    await wait(rig.random.below(CALM_MS));
  }

  /** Nothing may end by itself; what did, is told and started again. */
  async function reviveAll(): Promise<void> {
    for (const app of [...rig.receivers, ...rig.workers]) {
      if (app.isRunning()) continue;
      problem(app.ownEnd() ?? `${app.name} was not started again`);
      // oxlint-disable-next-line no-await-in-loop -- seldom any
      await app.start().catch((error: unknown) => problem(String(error)));
    }
  }
}

/** Rounds of all faults, each in another order; without end, or one. */
function* planOf(
  faults: readonly Fault[],
  { seed, isEndless }: { seed: number; isEndless: boolean },
): Generator<Fault> {
  const random = seededRandom(seed);
  const rounds = isEndless && faults.length > 0 ? Infinity : 1;
  for (let round = 0; round < rounds; round++) {
    yield* random.shuffled(faults.filter(({ isLong }) => isLong !== true || round % LONG_EVERY === 0));
  }
}

async function sort(
  faults: readonly Fault[],
  rig: Rig,
): Promise<{ possible: Fault[]; skipped: { fault: string; reason: string }[] }> {
  const possible: Fault[] = [];
  const skipped: { fault: string; reason: string }[] = [];
  for (const fault of faults) {
    // oxlint-disable-next-line no-await-in-loop -- a few, in order
    const reason = await fault.unless?.(rig);
    if (reason === undefined) possible.push(fault);
    else skipped.push({ fault: fault.name, reason });
  }
  return { possible, skipped };
}

/** Whether nothing went wrong. */
export function isClean({ injections, problems, verdict }: Campaign): boolean {
  const { events: _events, deadLetters: _letters, ...wrong } = verdict;
  const faults = Object.values(wrong).reduce((sum, each) => sum + Math.abs(each), 0);
  return faults === 0 && problems.length === 0 && injections.every(({ healthySeconds }) => healthySeconds !== null);
}
