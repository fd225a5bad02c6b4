import type { Overview } from '../../src/api/contract/overview.ts';
import { useApi } from '../api/use-api.ts';
import { useKeys } from '../keys/use-keys.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Failed, Loading, Stale } from '../parts/states.tsx';
import { useQuery } from '../route/use-query.ts';
import { AttentionList } from './attention-list.tsx';
import { Curves } from './curves.tsx';
import { Figures } from './figures.tsx';
import { Freshness } from './freshness.tsx';
import { LineState } from './line-state.tsx';
import { wholeSpans } from './whole-spans.ts';

/** What the curves show. */
type Span = 'hour' | 'day';

/** Is the line well, and what needs a person? Read once a second. */
export function OverviewPage() {
  const [query, setQuery] = useQuery();
  const span: Span = query['series'] === 'day' ? 'day' : 'hour';
  const setSpan = (next: Span): void => setQuery({ series: next === 'day' ? next : undefined }, { replace: true });
  const { data, previous, error, at, reload } = useApi<Overview>(`/overview?series=${span}`, {
    everyMs: 1_000,
    isSteady: true,
  });
  // While the other curves load, the figures stand: they are the same line's.
  const shown = data ?? previous;
  useKeys({
    h: { does: 'Curves of the last hour', run: () => setSpan('hour') },
    d: { does: 'Curves of the last day', run: () => setSpan('day') },
  });
  return (
    <div class="page">
      <PageHead title="Overview">
        <Freshness at={shown && at} />
        <SpanChoice span={span} onChoose={setSpan} />
      </PageHead>
      {!shown && !error && <Loading what="the overview" />}
      {!shown && error && <Failed error={error} retry={reload} />}
      {/* That no answer comes is said by the age of the figures. */}
      {shown && error && error.status !== 0 && <Stale error={error} />}
      {shown && <Shown overview={shown} span={span} />}
    </div>
  );
}

/** The curves of the last hour or of the last day. */
function SpanChoice({ span, onChoose }: { span: Span; onChoose: (span: Span) => void }) {
  const spans: [Span, string][] = [
    ['hour', 'Hour'],
    ['day', 'Day'],
  ];
  return (
    <div class="choices" role="group" aria-label="Curves of the last">
      {spans.map(([value, name]) => (
        <button key={value} type="button" aria-pressed={span === value} onClick={() => onChoose(value)}>
          {name}
        </button>
      ))}
    </div>
  );
}

/** All of the overview. What a server that is away would tell is missing in its place: nothing moves when it comes back. */
function Shown({ overview, span }: { overview: Overview; span: Span }) {
  return (
    <div class="overview">
      <Figures overview={overview} />
      <AttentionList overview={overview} />
      <Curves series={overview.series && wholeSpans(overview.series, overview.at)} span={span} />
      <LineState overview={overview} />
    </div>
  );
}
