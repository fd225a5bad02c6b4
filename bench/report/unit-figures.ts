import { z } from 'zod';
import { median } from '../results.ts';
import type { Report } from './report.ts';

/** The figures of unit-cost that docs/scale.md reckons with: medians with three significant digits. */
export const unitFiguresSchema = z.object({
  /** The day, as 2026-11-28. */
  measuredOn: z.string(),
  cpu: z.string(),
  cores: z.number(),
  rounds: z.number(),
  /** What a reader must know of the run; written by hand. */
  note: z.string().optional(),
  /** By variant, and by metric with its unit: `CPU of worker, µs`, `WAL, bytes`. */
  medians: z.record(z.string(), z.record(z.string(), z.number())),
});

/** The figures as `unitFiguresSchema` has them. */
export type UnitFigures = z.infer<typeof unitFiguresSchema>;

/** Takes the figures of unit-cost out of a report; returns undefined where it was not measured. */
export function unitFiguresOf({
  startedAt,
  machine,
  plan,
  measured,
}: Pick<Report, 'startedAt' | 'machine' | 'plan' | 'measured'>): UnitFigures | undefined {
  const own = measured.filter(({ measure }) => measure === 'unit-cost');
  if (own.length === 0) return undefined;
  const medians: UnitFigures['medians'] = {};
  for (const { variant, metric, unit, values } of own)
    (medians[variant] ??= {})[`${metric}, ${unit}`] = Number(median(values).toPrecision(3));
  return {
    measuredOn: startedAt.slice(0, 10),
    cpu: machine.cpu,
    cores: machine.cores,
    rounds: plan.rounds,
    medians,
  };
}
