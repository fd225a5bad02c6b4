/** A rate per minute in few digits: whole from 10 on, with one digit below, and never 0 where there was something. */
export function perMinute(count: number, minutes: number): string {
  const rate = count / minutes;
  if (rate >= 9.95) return Math.round(rate).toLocaleString('en');
  if (rate === 0 || minutes === 1) return String(rate);
  return rate < 0.05 ? '<0.1' : rate.toFixed(1);
}
