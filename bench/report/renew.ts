import { judgeGoals } from '../goals.ts';
import type { Report } from './report.ts';

/**
 * A report in which what was measured anew stands where the same variants of the same measures stood. Contenders are only ever compared
 * within one of those, so each comparison is still of one run.
 *
 * @param names  The measures that were taken anew.
 */
export function renewReport(old: Report, anew: Report, names: readonly string[]): Report {
  const isAnew = new Set(anew.measured.map(variantOf));
  const kept = old.measured.filter((one) => !isAnew.has(variantOf(one)));
  const order = [...new Set([...old.measured, ...anew.measured].map(variantOf))];
  const measured = [...kept, ...anew.measured].toSorted(
    (a, b) => order.indexOf(variantOf(a)) - order.indexOf(variantOf(b)),
  );
  const earlier = old.renewed
    .map((one) => ({ ...one, measures: one.measures.filter((name) => !names.includes(name)) }))
    .filter((one) => one.measures.length > 0);
  const faults = old.faults.filter((fault) => !names.some((name) => fault.startsWith(`${name}: `)));
  const { startedAt, tookSeconds } = anew;
  const renewed = [...earlier, { measures: [...names], startedAt, tookSeconds }];
  return { ...old, measured, goals: judgeGoals(measured), faults, renewed };
}

function variantOf({ measure, variant }: Report['measured'][number]): string {
  return `${measure}: ${variant}`;
}
