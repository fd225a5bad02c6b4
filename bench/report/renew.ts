import { judgeGoals } from '../goals.ts';
import type { Report } from './report.ts';

/**
 * A report in which what was measured anew stands where the same measures stood. Contenders are only ever compared within a measure, so
 * each comparison is still of one run.
 */
export function renewReport(old: Report, anew: Report): Report {
  const measures = [...new Set(anew.measured.map(({ measure }) => measure))];
  const order = [...new Set([...old.measured, ...anew.measured].map(({ measure }) => measure))];
  const measured = [...old.measured.filter(({ measure }) => !measures.includes(measure)), ...anew.measured].toSorted(
    (a, b) => order.indexOf(a.measure) - order.indexOf(b.measure),
  );
  const earlier = old.renewed
    .map((one) => ({ ...one, measures: one.measures.filter((measure) => !measures.includes(measure)) }))
    .filter((one) => one.measures.length > 0);
  const { startedAt, tookSeconds } = anew;
  return { ...old, measured, goals: judgeGoals(measured), renewed: [...earlier, { measures, startedAt, tookSeconds }] };
}
