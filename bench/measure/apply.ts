import type { BenchContext } from '../bench-context.ts';
import { isQueueing, type Place, type QueueingContender } from '../contender.ts';
import { CONTENDERS, takingPart } from '../contenders.ts';
import { formatNumber } from '../report/format-number.ts';
import type { Results } from '../results.ts';
import { openLimit } from './apply-limit.ts';
import { backlogEvents, fillBacklog, settle, workOff, type Backlog } from './backlog.ts';
import { checkApplied, ledgerCount } from './check-applied.ts';
import { countRows, rateOf, type WorkedOff } from './commits.ts';

/** The queue is drained to the last event where that takes no longer than this, in seconds. */
const DRAIN_WITHIN_SECONDS = 20;

/**
 * apply: queues a backlog while no process runs, starts the worker, and counts the events that it applies. The contenders take turns
 * within each round.
 */
export async function apply(bench: BenchContext, results: Results): Promise<void> {
  const { live } = bench.plan.apply;
  const batchEvents = [250, 500, 1000, 2000, 4000] as const;
  await workOffBacklog(bench, results, { variant: 'live events', kind: 'live', events: live, batchEvents });
}

/** apply-transcripts: measures the same with transcripts of 30 turns. */
export async function applyTranscripts(bench: BenchContext, results: Results): Promise<void> {
  const { transcripts } = bench.plan.apply;
  const batchEvents = [12, 25, 50, 100, 200] as const;
  await workOffBacklog(bench, results, {
    variant: 'transcripts',
    kind: 'transcript30',
    events: transcripts,
    batchEvents,
  });
}

async function workOffBacklog(bench: BenchContext, results: Results, backlog: Backlog): Promise<void> {
  const limit = await openLimit(bench, backlog);
  // A worker runs until it is warm, and then while it is timed.
  const seconds = bench.plan.warmUpSeconds + bench.plan.apply.seconds;
  const standings: Standing[] = [];
  async function note(round: number, contender: string, place: Place, done: WorkedOff): Promise<number> {
    const rate = rateOf(done, bench.plan.warmUpSeconds * 1000);
    const rowsOfEach = (await countRows(place.databaseUrl)) / (await ledgerCount(place.databaseUrl));
    const name = { measure: 'apply', variant: backlog.variant, contender, unit: '/s' };
    results.add({ ...name, metric: 'events' }, rate);
    results.add({ ...name, metric: 'rows' }, rate * rowsOfEach);
    bench.log(`apply, ${backlog.variant}, round ${round}: ${contender} ${formatNumber(rate)}/s`);
    return rate;
  }
  // oxlint-disable no-await-in-loop -- one at a time: they share the machine
  for (const contender of takingPart(bench.plan, CONTENDERS).filter(isQueueing))
    standings.push({ contender, place: await placeOf(bench, contender), ids: [], rate: 0, taken: 0 });
  for (let round = 1; round <= bench.plan.rounds; round++) {
    for (const standing of standings) {
      const done = await workOffInTurn(bench, standing, { backlog, seconds });
      standing.rate = await note(round, standing.contender.name, standing.place, done);
    }
    const { place, done } = await limit(seconds);
    await note(round, 'sql-limit', place, done);
  }
  for (const standing of standings) {
    await drain(bench, standing);
    await placeOf(bench, standing.contender);
  }
}

/** The state of a contender's backlog. The contender keeps the backlog from round to round while events are left. */
interface Standing {
  contender: QueueingContender;
  place: Place;
  /** Ledger ids of all queued events. */
  ids: string[];
  /** The events per second of the last round, and its number of events; 0 before the first round. */
  rate: number;
  taken: number;
}

/** Makes the place of a contender, or empties it. */
function placeOf({ services }: BenchContext, { name }: QueueingContender): Promise<Place> {
  return services.place(`apply-${name}`);
}

async function workOffInTurn(
  bench: BenchContext,
  standing: Standing,
  { backlog, seconds }: { backlog: Backlog; seconds: number },
): Promise<WorkedOff> {
  const { contender, place } = standing;
  const left = await leftOf(standing);
  // The backlog has some events more: in a round that runs empty the last events would count too much.
  if (left < Math.min(backlog.events, standing.taken * 1.25) || standing.taken === 0) {
    await drain(bench, standing);
    await refill(bench, standing, backlog);
  }
  await settle(place);
  const done = await workOff({ contender, place, seconds });
  standing.taken = done.commits.reduce((sum, { events }) => sum + events, 0);
  return done;
}

/** Counts the events that are not in the ledger. Counting the queue would not do: a job may hold many events. */
async function leftOf({ ids, place }: Standing): Promise<number> {
  return ids.length - (await ledgerCount(place.databaseUrl));
}

async function refill(bench: BenchContext, standing: Standing, { kind, events }: Backlog): Promise<void> {
  const { contender, place } = standing;
  await placeOf(bench, contender);
  await contender.prepare(place);
  standing.ids = [];
  await fillBacklog(contender, place, backlogEvents(kind, events, standing.ids));
}

/** Works off the rest where that takes little time. Checks that every queued event is in the tables or still waits. */
async function drain(bench: BenchContext, standing: Standing): Promise<void> {
  const { contender, place, ids, rate } = standing;
  if (ids.length === 0) return;
  const left = await leftOf(standing);
  if (left > 0 && left / rate < DRAIN_WITHIN_SECONDS) {
    // Twice the expected time. The jobs of a stopped worker may be locked for longer, and are not waited for.
    await workOff({ contender, place, seconds: Math.ceil((2 * left) / rate) + 5 });
  }
  const pending = await contender.pending(place);
  const checked = await checkApplied({ name: contender.name, databaseUrl: place.databaseUrl, ids, pending });
  bench.log(`${contender.name}: ${checked.applied} of ${ids.length} applied once, ${pending} wait`);
}
