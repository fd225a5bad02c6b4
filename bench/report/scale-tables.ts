import { markdownTable, replacePart } from '../../test/support/markdown.ts';
import { VARIANTS, variantOf } from '../unit-variants.ts';
import type { UnitFigures } from './unit-figures.ts';

/** What a call brings; the event of its recording is as a live event. */
export const CALL = { liveEvents: 10, transcripts: 1, recordings: 1 } as const;

/** The sizes of the model, in calls a minute. */
export const SIZES = [10, 1_000, 100_000] as const;

/**
 * Up to so many events a second, events cost what they do at 200 a second: each is a group, a job and a transaction of its own. A receiver
 * counts its own events, and the worker all of them. It is what the worker does (`FEW_EVENTS` of share-transactions.ts).
 */
const LOW_UP_TO = 400;

/** What the size of a receiver's groups decides. The other costs depend on the worker's transactions. */
const OF_GROUPS = new Set([
  'CPU of receiver, µs',
  'CPU of Redis, µs',
  'memory of Redis, bytes',
  'append-only file, bytes',
  'journal, bytes',
]);

/** What large bodies may use of the default `SPOOL_LIMIT_BYTES`. */
const SPOOL_BYTES = (7 / 8) * 8 * 2 ** 30;

const GB = 1e9;
const DAY = 86_400;

/** The processes and servers that use CPU, by their name in the figures. */
const PARTS = { receiver: 'receivers', worker: 'workers', Redis: 'Redis', Postgres: 'Postgres' } as const;

/** The costs in bytes, by their name in the figures. */
const BYTES = {
  body: 'body',
  'memory of Redis': 'memory of Redis while it waits',
  'append-only file': 'append-only file of Redis',
  journal: 'journal',
  WAL: 'WAL of Postgres',
  'WAL after a checkpoint': 'the same right after a checkpoint',
  'tables and indexes': 'tables and indexes',
  'stored audio': 'stored audio',
} as const;

/** Puts the tables that follow from the figures between the marks of docs/scale.md. Returns the new text. */
export function renewScaleDoc(text: string, figures: UnitFigures): string {
  const { measuredOn, cpu, cores, rounds, note = '' } = figures;
  const what = rounds === 1 ? 'One round' : `Medians of ${rounds} rounds`;
  const source = `${what} on ${measuredOn}, on ${cores} cores of an ${cpu}. ${note}`.trim();
  const parts = {
    cost: `${source}\n\n${costTable(figures)}`,
    model: modelTable(figures),
    core: coreTable(figures),
    processes: processesTable(figures),
  };
  return Object.entries(parts).reduce((renewed, [name, markdown]) => replacePart(renewed, name, markdown), text);
}

function costTable({ medians }: UnitFigures): string {
  const variants = [VARIANTS.low, VARIANTS.live, VARIANTS.transcript, VARIANTS.recording, VARIANTS.idle];
  const rowOf = (name: string, metric: string): string[] => {
    const cells = variants.map((variant) => medians[variant]?.[metric]);
    return [name, ...cells.map((cell) => (cell === undefined ? '' : EXACT.format(cell)))];
  };
  const cpu = Object.keys(PARTS).map((part) => rowOf(`CPU of ${part}, µs`, `CPU of ${part}, µs`));
  const bytes = Object.entries(BYTES).map(([metric, name]) => rowOf(`${name}, bytes`, `${metric}, bytes`));
  const head = [VARIANTS.low, `${VARIANTS.live} at full load`, VARIANTS.transcript, VARIANTS.recording, VARIANTS.idle];
  return markdownTable([['', ...head], ...cpu, ...bytes], 1);
}

/** Reckons what so many calls a minute take. Returns the rows of the model by their names. */
export function modelOf(figures: UnitFigures, callsAMinute: number): Record<string, number> {
  const calls = callsAMinute / 60;
  const events = calls * (CALL.liveEvents + CALL.transcripts + CALL.recordings);
  const isLow = events <= LOW_UP_TO;
  const receivers = Math.ceil((calls * costOfCall(figures, 'CPU of receiver, µs', isLow)) / 1e6);
  const hasSmallGroups = events / receivers <= LOW_UP_TO;
  const ofCall = (metric: string): number =>
    costOfCall(figures, metric, OF_GROUPS.has(metric) ? hasSmallGroups : isLow);
  const aDay = (metric: string): number => (calls * DAY * ofCall(`${metric}, bytes`)) / GB;
  const cores = Object.entries(PARTS).map(([part, name]): [string, number] => {
    const idle = figureOf(figures, VARIANTS.idle, `CPU of ${part}, µs`);
    return [`cores for ${name}`, (idle + calls * ofCall(`CPU of ${part}, µs`)) / 1e6];
  });
  const audioBodies = calls * CALL.recordings * figureOf(figures, VARIANTS.recording, 'body, bytes');
  return {
    'events a second': events,
    ...Object.fromEntries(cores),
    'memory of Redis for an hour without workers, GB': (calls * 3_600 * ofCall('memory of Redis, bytes')) / GB,
    'append-only file, written a day, GB': aDay('append-only file'),
    'journals, a day, GB': aDay('journal'),
    'WAL a day, at least, GB': aDay('WAL'),
    'WAL a day, at most, GB': (calls * DAY * mostWalOfCall(figures, isLow)) / GB,
    'tables and indexes, a day, GB': aDay('tables and indexes'),
    'recordings, as they arrive, MB a second': audioBodies / 1e6,
    'recordings, stored a day, GB': aDay('stored audio'),
    'minutes until the spools are full, while the storage is away': (receivers * SPOOL_BYTES) / audioBodies / 60,
  };
}

/** What a call takes. At a low load a transcript costs as much more as a live event does. */
function costOfCall(figures: UnitFigures, metric: string, isLow: boolean): number {
  const [low, full] = [VARIANTS.low, VARIANTS.live].map((variant) => figureOf(figures, variant, metric));
  const live = (isLow ? low : full) ?? 0;
  const transcript = figureOf(figures, VARIANTS.transcript, metric) + live - (full ?? 0);
  const recording = live + figureOf(figures, VARIANTS.recording, metric);
  return CALL.liveEvents * live + CALL.transcripts * transcript + CALL.recordings * recording;
}

/** The WAL of a call whose every event is the first to change a page since a checkpoint. */
function mostWalOfCall(figures: UnitFigures, isLow: boolean): number {
  const pages =
    figureOf(figures, VARIANTS.low, 'WAL after a checkpoint, bytes') - figureOf(figures, VARIANTS.low, 'WAL, bytes');
  const events = CALL.liveEvents + CALL.transcripts + CALL.recordings;
  return costOfCall(figures, 'WAL, bytes', isLow) + events * pages;
}

/** A figure; 0 where this variant takes nothing of it. */
function figureOf({ medians }: UnitFigures, variant: string, metric: string): number {
  return medians[variant]?.[metric] ?? 0;
}

function modelTable(figures: UnitFigures): string {
  const models = SIZES.map((size) => modelOf(figures, size));
  const rows = Object.keys(models[0] ?? {}).map((row) => [
    row,
    ...models.map((model) => ROUGH.format(model[row] ?? 0)),
  ]);
  return markdownTable([['calls a minute', ...SIZES.map((size) => EXACT.format(size))], ...rows], 1);
}

/** Reckons how many calls a minute a core carries at full load, by its part. */
export function callsOfCore(figures: UnitFigures): Record<string, number> {
  const carried = Object.entries(PARTS).map(([part, name]) => {
    return [`of ${name}`, 60e6 / costOfCall(figures, `CPU of ${part}, µs`, false)] as const;
  });
  return Object.fromEntries(carried);
}

function coreTable(figures: UnitFigures): string {
  const rows = Object.entries(callsOfCore(figures)).map(([part, calls]) => [part, ROUGH.format(calls)]);
  return markdownTable([['one core', 'carries so many calls a minute'], ...rows], 1);
}

/** No measure has more processes of a kind. */
const MOST_PROCESSES = 8;

/** Holds what a live event takes with several processes of a kind against what it takes with one. */
function processesTable(figures: UnitFigures): string {
  const parts = Object.keys(PARTS);
  const sumWith = (processes: number): number =>
    parts.reduce((sum, part) => sum + figureOf(figures, variantOf(processes), `CPU of ${part}, µs`), 0);
  const counts = Array.from({ length: MOST_PROCESSES }, (_, i) => i + 1).filter((count) => sumWith(count) > 0);
  const rows = counts.map((count) => [
    String(count),
    ...parts.map((part) => EXACT.format(figureOf(figures, variantOf(count), `CPU of ${part}, µs`))),
    EXACT.format(sumWith(count)),
    (sumWith(count) / sumWith(1)).toFixed(2),
  ]);
  const head = ['receivers, and as many workers', ...parts.map((part) => `${part}, µs`), 'together', '÷ the model'];
  return markdownTable([head, ...rows], 1);
}

const EXACT = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
const ROUGH = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });
