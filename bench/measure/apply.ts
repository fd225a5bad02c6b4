import type { BenchContext } from '../bench-context.ts';
import type { Place } from '../contender.ts';
import type { Batch } from '../limits/sql-batch.ts';
import { sqlLimit } from '../limits/sql-contender.ts';
import type { EventKind } from '../load/signed-events.ts';
import { formatNumber } from '../report/format-number.ts';
import type { Results } from '../results.ts';
import { backlogEvents, fillBacklog, isQueueing, newRun, settle, workOff, type QueueingContender } from './backlog.ts';
import { checkApplied, ledgerCount } from './check-applied.ts';
import { countRows, rateOf, type WorkedOff } from './commits.ts';
import { tryBatches } from './try-batches.ts';

/** A backlog as the issue names it. */
interface Backlog {
  variant: string;
  kind: EventKind;
  events: number;
  /** What sql-limit tries: each number of events with each number of transactions at once. */
  batchEvents: readonly number[];
}

/** What is queued is drained to the last event where that takes no longer than this, in seconds. */
const DRAIN_WITHIN_SECONDS = 20;

/**
 * apply: a backlog lies there with nothing running; the worker is started, and what it brings into the tables is counted.
 * The contenders take turns within each round.
 */
export async function apply(bench: BenchContext, results: Results): Promise<void> {
  const { live } = bench.plan.apply;
  const backlog = { variant: 'live events', kind: 'live', events: live } as const;
  await workOffBacklog(bench, results, { ...backlog, batchEvents: [250, 500, 1000, 2000, 4000] });
}

/** The same with transcripts of 30 turns. */
export async function applyTranscripts(bench: BenchContext, results: Results): Promise<void> {
  const { transcripts } = bench.plan.apply;
  const backlog = { variant: 'transcripts', kind: 'transcript30', events: transcripts } as const;
  await workOffBacklog(bench, results, { ...backlog, batchEvents: [12, 25, 50, 100, 200] });
}

async function workOffBacklog(bench: BenchContext, results: Results, backlog: Backlog): Promise<void> {
  const limit = await openLimit(bench, backlog);
  const contenders = bench.contenders.filter(isQueueing);
  const standings = await Promise.all(contenders.map((contender) => open(bench, contender)));
  const note = (round: number, name: string, figures: Figures) => {
    add(results, backlog.variant, name, figures);
    bench.log(`apply, ${backlog.variant}, round ${round}: ${name} ${formatNumber(figures.events)}/s`);
  };
  // oxlint-disable no-await-in-loop -- one at a time: they share the machine
  for (let round = 1; round <= bench.plan.rounds; round++) {
    for (const standing of standings)
      note(round, standing.contender.name, await workOffInTurn(bench, standing, backlog));
    note(round, 'sql-limit', await limit());
  }
  for (const standing of standings) {
    await drain(bench, standing);
    await bench.services.place(placeOf(standing.contender));
  }
}

/** Events and rows per second. */
interface Figures {
  events: number;
  rows: number;
}

function add(results: Results, variant: string, contender: string, { events, rows }: Figures): void {
  const name = { measure: 'apply', variant, contender, unit: '/s' };
  results.add({ ...name, metric: 'events' }, events);
  results.add({ ...name, metric: 'rows' }, rows);
}

/** How far a contender has got with its backlog, which it keeps from round to round while it lasts. */
interface Standing {
  contender: QueueingContender;
  place: Place;
  /** Ledger ids of all that was queued. */
  ids: string[];
  /** The last round's events per second, and how many it took in all; 0 before the first. */
  rate: number;
  taken: number;
}

function placeOf({ name }: QueueingContender): string {
  return `apply-${name}`;
}

async function open({ services }: BenchContext, contender: QueueingContender): Promise<Standing> {
  return { contender, place: await services.place(placeOf(contender)), ids: [], rate: 0, taken: 0 };
}

async function workOffInTurn(bench: BenchContext, standing: Standing, backlog: Backlog): Promise<Figures> {
  const { contender, place } = standing;
  const seconds = runningSeconds(bench);
  const left = await leftOf(standing);
  // With some room: in a round that runs empty the last events count too much.
  if (left < Math.min(backlog.events, standing.taken * 1.25) || standing.taken === 0) {
    await drain(bench, standing);
    await refill(bench, standing, backlog);
  }
  await settle(place);
  const done = await workOff({ contender, place, seconds });
  const figures = await figuresOf(bench, place, done);
  standing.rate = figures.events;
  standing.taken = done.commits.reduce((sum, { events }) => sum + events, 0);
  return figures;
}

/** Events that are not in the ledger: what waits in the queue may be jobs of many. */
async function leftOf({ ids, place }: Standing): Promise<number> {
  return ids.length - (await ledgerCount(place.databaseUrl));
}

async function refill(bench: BenchContext, standing: Standing, { kind, events }: Backlog): Promise<void> {
  const { contender, place } = standing;
  await bench.services.place(placeOf(contender));
  await contender.prepare(place);
  standing.ids = [];
  await fillBacklog(contender, place, backlogEvents(kind, events, standing.ids));
}

/** Works off what is left where that takes little time, and checks that what was queued is in the tables, or still waits. */
async function drain(bench: BenchContext, standing: Standing): Promise<void> {
  const { contender, place, ids, rate } = standing;
  if (ids.length === 0) return;
  const left = await leftOf(standing);
  if (left > 0 && left / rate < DRAIN_WITHIN_SECONDS) {
    // Twice the time that it should take: what a stopped worker had in hand may be locked for longer than is worth waiting for.
    await workOff({ contender, place, seconds: Math.ceil((2 * left) / rate) + 5 });
  }
  const pending = await contender.pending(place);
  const checked = await checkApplied({ name: contender.name, databaseUrl: place.databaseUrl, ids, pending });
  bench.log(`${contender.name}: ${checked.applied} of ${ids.length} applied once, ${pending} wait`);
}

const LIMIT_PLACE = 'apply-sql-limit';

/** The limit of the same backlog, with the best of its batches. */
async function openLimit(bench: BenchContext, backlog: Backlog): Promise<() => Promise<Figures>> {
  const { kind, events: count, variant } = backlog;
  const place = await bench.services.place(LIMIT_PLACE);
  const batch = await bestBatch(bench, place, backlog);
  bench.log(`sql-limit, ${variant}: ${batch.events} events in a transaction, ${batch.transactions} at once`);
  return async () => {
    const seconds = runningSeconds(bench);
    await bench.services.place(LIMIT_PLACE);
    const run = newRun();
    const contender = sqlLimit({ kind, run, count, batches: [batch] });
    await settle(place);
    const done = await workOff({ contender, place, seconds });
    return figuresOf(bench, place, done);
  };
}

async function bestBatch({ services, plan, log }: BenchContext, place: Place, backlog: Backlog): Promise<Batch> {
  const [usual = 1000] = backlog.batchEvents.slice(2);
  const { live, trialEvents } = plan.apply;
  if (trialEvents === 0) return { events: usual, transactions: 2 };
  const batches = backlog.batchEvents.flatMap((events) => [1, 2, 3].map((transactions) => ({ events, transactions })));
  const count = Math.ceil((trialEvents * backlog.events) / live);
  const best = await tryBatches({ place, kind: backlog.kind, count, batches, log });
  await services.place(LIMIT_PLACE);
  return best;
}

/** How long a worker runs: until it is warm, and while it is timed. */
function runningSeconds({ plan }: BenchContext): number {
  return plan.warmUpSeconds + plan.apply.seconds;
}

async function figuresOf({ plan }: BenchContext, { databaseUrl }: Place, done: WorkedOff): Promise<Figures> {
  const events = rateOf(done, plan.warmUpSeconds * 1000);
  const rowsOfEach = (await countRows(databaseUrl)) / (await ledgerCount(databaseUrl));
  return { events, rows: events * rowsOfEach };
}
