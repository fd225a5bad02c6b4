import type { Activity, Overview } from '../../src/api/contract/overview.ts';
import { measured } from '../parts/measured.ts';
import { countText } from '../parts/relative-time.ts';
import { perMinute } from './per-minute.ts';

/** The spans that are counted, and their minutes. */
const SPANS = [
  { key: 'now', name: 'Now', minutes: 1, says: 'the last 60 seconds' },
  { key: 'hour', name: 'Last hour', minutes: 60, says: 'the last hour' },
  { key: 'day', name: 'Last day', minutes: 1_440, says: 'the last day' },
] as const;

type Counted = 'accepted' | 'fetched' | 'applied' | 'dead' | 'refused';

/** What is counted, in the order of the way. `isFault`: any at all is worth a look. */
const ROWS: readonly { key: Counted; name: string; says: string; href: string; color: string; isFault: boolean }[] = [
  { key: 'accepted', name: 'Accepted', says: 'answered 200', href: '/events', color: 'accent', isFault: false },
  {
    key: 'fetched',
    name: 'Fetched',
    says: 'from ElevenLabs, became rows',
    href: '/events?origin=backfill',
    color: 'quiet',
    isFault: false,
  },
  {
    key: 'applied',
    name: 'Applied',
    says: 'became rows',
    href: '/events?outcome=applied',
    color: 'good',
    isFault: false,
  },
  { key: 'dead', name: 'Dead', says: 'could not be applied', href: '/failures', color: 'bad', isFault: true },
  { key: 'refused', name: 'Refused', says: 'answered 401', href: '/rejected', color: 'warn', isFault: true },
];

/** What was counted, per minute: now, in the last hour and in the last day. Each cell keeps its place while figures change. */
export function Figures({ overview }: { overview: Overview }) {
  return (
    <section class="overview-figures" aria-labelledby="figures">
      <h2 id="figures">
        Events per minute
        {!overview.redis.ok && (
          <span class="figures-missing">
            <strong>Redis is away.</strong> Figures are missing until it answers.
          </span>
        )}
      </h2>
      <table class="figures">
        <thead>
          <tr>
            <td />
            {SPANS.map(({ key, name }) => (
              <th key={key} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ROWS.map((row) => (
            <tr key={row.key}>
              <th scope="row">
                <i class={`figure-mark mark-${row.color}`} aria-hidden="true" />
                <a href={row.href}>{row.name}</a> <span class="figure-says">{row.says}</span>
              </th>
              {SPANS.map((span) => (
                <RateCell key={span.key} activity={overview[span.key]} span={span} row={row} />
              ))}
            </tr>
          ))}
          <LatencyRow overview={overview} quantile="p50" says="half of the events" />
          <LatencyRow overview={overview} quantile="p99" says="99 of 100 events" />
        </tbody>
      </table>
    </section>
  );
}

interface RateCellProps {
  activity: Activity | null;
  span: (typeof SPANS)[number];
  row: (typeof ROWS)[number];
}

/** A rate; how many there were in all is in the title. */
function RateCell({ activity, span, row }: RateCellProps) {
  if (activity === null) return <td class="nothing">–</td>;
  const n = activity[row.key];
  return (
    <td class={row.isFault && n > 0 ? `figure-${row.color}` : ''} title={`${countText(n)} in ${span.says}`}>
      {perMinute(n, span.minutes)}
    </td>
  );
}

/** How long it took from the receipt to the row. */
function LatencyRow({ overview, quantile, says }: { overview: Overview; quantile: 'p50' | 'p99'; says: string }) {
  return (
    <tr class={`figure-latency figure-${quantile}`}>
      <th scope="row" title="Of events that came in a webhook: fetched ones are left out">
        Receipt to row, {quantile} <span class="figure-says">{says}</span>
      </th>
      {SPANS.map(({ key }) => (
        <td key={key}>{measured(overview[key]?.receipt_to_row_ms[quantile], 'ms')}</td>
      ))}
    </tr>
  );
}
