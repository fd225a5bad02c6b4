import type { Series } from '../../src/api/contract/overview.ts';
import { Chart } from '../parts/chart.tsx';
import type { Line } from '../parts/chart-options.ts';

/** Counts of spans as rates per minute, so that an hour and a day can be compared. */
function perMinuteOf(counts: readonly number[], stepSeconds: number): number[] {
  return counts.map((count) => Math.round((count * 600) / stepSeconds) / 10);
}

/** Curves of the last hour or day. They keep their place while Redis, which has the figures, is away. */
export function Curves({ series, span }: { series: Series | null; span: 'hour' | 'day' }) {
  return (
    <section class="overview-curves" aria-labelledby="curves">
      <h2 id="curves">Last {span}</h2>
      {series ? <BothCurves series={series} span={span} /> : <p class="curves-away">No curves while Redis is away.</p>}
    </section>
  );
}

function BothCurves({ series, span }: { series: Series; span: 'hour' | 'day' }) {
  const from = Date.parse(series.from) / 1_000;
  const step = series.step_seconds;
  const events: Line[] = [
    { name: 'Accepted', color: '--accent', values: perMinuteOf(series.accepted, step) },
    { name: 'Applied', color: '--good', values: perMinuteOf(series.applied, step) },
    { name: 'Dead', color: '--bad', values: perMinuteOf(series.dead, step) },
    { name: 'Refused', color: '--warn', values: perMinuteOf(series.refused, step) },
  ];
  const times: Line[] = [
    { name: 'p50', color: '--accent', values: series.p50_ms },
    { name: 'p99', color: '--warn', values: series.p99_ms },
  ];
  return (
    <>
      <figure>
        <figcaption>Events per minute</figcaption>
        <Chart
          label={`Events per minute in the last ${span}`}
          from={from}
          stepSeconds={step}
          lines={events}
          measure="count"
        />
      </figure>
      <figure>
        <figcaption>From receipt to row</figcaption>
        <Chart
          label={`Time from receipt to row in the last ${span}`}
          from={from}
          stepSeconds={step}
          lines={times}
          measure="ms"
        />
      </figure>
    </>
  );
}
