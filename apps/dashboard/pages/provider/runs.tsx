import type { RunItem } from '../../src/api/contract/provider.ts';
import { InsideOption } from '../parts/inside-option.ts';
import { Tag } from '../parts/tag.tsx';
import { Count, Time } from '../parts/time.tsx';

/** The newest comparisons: what was listed, and what was fetched. The table scrolls on narrow screens. */
export function Runs({ runs }: { runs: readonly RunItem[] }) {
  if (runs.length === 0) return null;
  return (
    <div>
      <h2 id="runs">Comparisons</h2>
      <div class="runs" role="region" aria-labelledby="runs" tabIndex={0}>
        <table>
          <thead>
            <tr>
              {[
                'Started',
                'How it ended',
                'Calls since',
                'Listed',
                'Transcripts fetched',
                'Audio fetched',
                'Waiting',
                'Unfetchable',
              ].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <Run key={run.id} run={run} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Run({ run }: { run: RunItem }) {
  return (
    <tr>
      <th scope="row">
        {run.operation_status === null ? (
          <Time at={run.started_at} />
        ) : (
          <a href={`/operations?operation=${run.id}`}>
            {/* The link has the focus. */}
            <InsideOption.Provider value={true}>
              <Time at={run.started_at} />
            </InsideOption.Provider>
          </a>
        )}
      </th>
      <td class="run-end">
        <RunEnd run={run} />
      </td>
      <td>
        <Time at={run.window_from} />
      </td>
      {[run.listed, run.fetched, run.fetched_recordings, run.waiting, run.unfetchable].map((n, i) => (
        // oxlint-disable-next-line react/no-array-index-key -- columns
        <td key={i}>
          <Count n={n} />
        </td>
      ))}
    </tr>
  );
}

/** Of the statuses of an operation, those in which it is not over. */
const UNDER_WAY = ['planned', 'running'];

/** How it ended, or that it goes on. */
function RunEnd({ run }: { run: RunItem }) {
  if (run.error !== null) {
    return (
      <>
        <Tag tone="bad">failed</Tag> <span dir="auto">{run.error}</span>
      </>
    );
  }
  if (run.finished_at !== null) return <Tag tone="good">ended well</Tag>;
  return UNDER_WAY.includes(run.operation_status ?? '') ? (
    <Tag tone="live">goes on</Tag>
  ) : (
    <Tag tone="quiet">ended without a result</Tag>
  );
}
