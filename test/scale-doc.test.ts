import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { QUICK } from '../bench/plan.ts';
import { callsOfCore, modelOf, renewScaleDoc } from '../bench/report/scale-tables.ts';
import { unitFiguresOf, unitFiguresSchema, type UnitFigures } from '../bench/report/unit-figures.ts';
import { ROOT } from './support/root.ts';

const DOC = join(ROOT, 'docs', 'scale.md');
const FIGURES = join(ROOT, 'bench', 'results', 'unit-cost.json');

/** Figures whose sums are easy. */
const EASY: UnitFigures = {
  measuredOn: '2026-01-02',
  cpu: 'a processor',
  cores: 2,
  rounds: 1,
  medians: {
    'live event': cost({ cpu: 100, bytes: 1_000 }),
    'live event at 200/s': { ...cost({ cpu: 1_000, bytes: 2_000 }), 'WAL after a checkpoint, bytes': 8_000 },
    'transcript of 30 turns': cost({ cpu: 500, bytes: 10_000 }),
    'recording of 2 minutes': {
      'CPU of receiver, µs': 20_000,
      'body, bytes': 2_000_000,
      'stored audio, bytes': 1_500_000,
    },
    'a second without events': { 'CPU of receiver, µs': 4_600, 'CPU of worker, µs': 6_000 },
  },
};

function cost({ cpu, bytes }: { cpu: number; bytes: number }): Record<string, number> {
  return {
    'CPU of receiver, µs': cpu,
    'CPU of worker, µs': 2 * cpu,
    'CPU of Redis, µs': cpu / 10,
    'CPU of Postgres, µs': cpu,
    'memory of Redis, bytes': bytes,
    'append-only file, bytes': bytes,
    'journal, bytes': bytes / 2,
    'WAL, bytes': bytes,
    'tables and indexes, bytes': bytes,
  };
}

test('the tables of docs/scale.md are those that follow from the measured figures', () => {
  const figures = unitFiguresSchema.parse(JSON.parse(readFileSync(FIGURES, 'utf8')));
  const renewed = renewScaleDoc(readFileSync(DOC, 'utf8'), figures);
  if (process.env['UPDATE_SCALE'] === '1') writeFileSync(DOC, renewed);
  expect(readFileSync(DOC, 'utf8')).toBe(renewed);
});

test('few calls cost as at a low load, beside what the processes take without events', () => {
  // A sixth of a call each second: ten live events, a transcript, a recording and its event.
  const model = modelOf(EASY, 10);
  expect(model['events a second']).toBeCloseTo(2);
  // 0.0046 + (11 × 1,000 + 500 + 900 + 20,000) µs ÷ 6
  expect(model['cores for receivers']).toBeCloseTo(0.01, 8);
  // 0.006 + (11 × 2,000 + 1,000 + 1,800) µs ÷ 6
  expect(model['cores for workers']).toBeCloseTo(0.0101333, 6);
  // 600 calls of 11 × 2,000 + 10,000 + 1,000 bytes
  expect(model['memory of Redis for an hour without workers, GB']).toBeCloseTo(0.0198, 8);
  // 14,400 calls
  expect(model['journals, a day, GB']).toBeCloseTo(0.2376, 8);
  expect(model['WAL a day, at least, GB']).toBeCloseTo(0.4752, 8);
  // Each of the 12 events adds the 6,000 bytes of a page.
  expect(model['WAL a day, at most, GB']).toBeCloseTo(1.512, 8);
  expect(model['recordings, stored a day, GB']).toBeCloseTo(21.6);
  // Seven eighths of 8 GiB at 20 MB a minute
  expect(model['minutes until the spools are full, while the storage is away']).toBeCloseTo(375.8096384);
});

test('many calls cost as at full load', () => {
  const model = modelOf(EASY, 100_000);
  expect(model['events a second']).toBeCloseTo(20_000);
  // (11 × 100 + 500 + 20,000) µs × 1,666.67
  expect(model['cores for receivers']).toBeCloseTo(36.0046, 6);
  // (11 × 10 + 50) µs × 1,666.67
  expect(model['cores for Redis']).toBeCloseTo(0.266667, 5);
  // 6,000,000 calls of 11 × 1,000 + 10,000 bytes
  expect(model['memory of Redis for an hour without workers, GB']).toBeCloseTo(126);
  expect(model['recordings, as they arrive, MB a second']).toBeCloseTo(3_333.33, 1);
});

test('where recordings take many receivers, each has few events, and its groups are small', () => {
  const recording = { ...EASY.medians['recording of 2 minutes'], 'CPU of receiver, µs': 100_000 };
  const model = modelOf({ ...EASY, medians: { ...EASY.medians, 'recording of 2 minutes': recording } }, 100_000);
  // 170 receivers have 118 events a second each. (11 × 100 + 140) µs × 1,666.67
  expect(model['cores for Redis']).toBeCloseTo(2.066667, 5);
  // 6,000,000 calls of 11 × 2,000 + 11,000 bytes
  expect(model['memory of Redis for an hour without workers, GB']).toBeCloseTo(198);
  // The workers have all of them: 0.006 + (11 × 200 + 1,000) µs × 1,666.67
  expect(model['cores for workers']).toBeCloseTo(5.339333, 5);
  // 170 times seven eighths of 8 GiB, at 3,333.33 MB a second
  expect(model['minutes until the spools are full, while the storage is away']).toBeCloseTo(6.3887652, 5);
});

test('a core carries as many calls as fit into its minute', () => {
  // 60 s ÷ (11 × 200 + 1,000) µs, and ÷ 21,600 µs
  expect(callsOfCore(EASY)['of workers']).toBeCloseTo(18_750);
  expect(callsOfCore(EASY)['of receivers']).toBeCloseTo(2_777.78, 1);
});

test('a page without the marks of a table is refused', () => {
  expect(() => renewScaleDoc('# How far it goes', EASY)).toThrow('<!-- cost -->');
});

test('the figures are the medians of unit-cost, with three digits that count', () => {
  const machine = { cpu: 'a processor', cores: 2, memoryGb: 8, kernel: '', fsyncMs: 1, versions: {} };
  const run = { startedAt: '2026-01-02T03:04:05.000Z', machine, plan: QUICK };
  const name = { variant: 'live event', contender: 'landline-journal', metric: 'CPU of worker', unit: 'µs' };
  const measured = [
    { measure: 'unit-cost', ...name, values: [98.76, 12, 123.456] },
    { measure: 'cost', ...name, values: [1] },
  ];
  expect(unitFiguresOf({ ...run, measured })).toEqual({
    measuredOn: '2026-01-02',
    cpu: 'a processor',
    cores: 2,
    rounds: 1,
    medians: { 'live event': { 'CPU of worker, µs': 98.8 } },
  });
  expect(unitFiguresOf({ ...run, measured: [] })).toBeUndefined();
});
