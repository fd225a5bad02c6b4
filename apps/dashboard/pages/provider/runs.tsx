import type { RunItem } from '../../src/api/contract/provider.ts';
import { InsideOption } from '../parts/inside-option.ts';
import { Tag } from '../parts/tag.tsx';
import { Count, Time } from '../parts/time.tsx';

/** What a run has counted, in the order of the columns. What is missing now stands above the runs: a run does not count it. */
const COUNTS = [
  { key: 'listed', name: 'Listed' },
  { key: 'complete', name: 'Complete' },
  { key: 'waiting', name: 'Waiting' },
  { key: 'fetched', name: 'Transcripts fetched' },
  { key: 'fetched_recordings', name: 'Audio fetched' },
  { key: 'unfetchable', name: 'Unfetchable' },
] as const;

/** The newest comparisons: how each ended, and what it counted. On narrow screens each is a block, its counts under their names. */
export function Runs({ runs }: { runs: readonly RunItem[] }) {
  if (runs.length === 0) return null;
  return (
    <div>
      <h2 id="runs">Comparisons</h2>
      <div class="runs" role="region" aria-labelledby="runs" tabIndex={0}>
        <table>
          <thead>
            <tr>
              {['Started', 'How it ended', 'Calls since', ...COUNTS.map(({ name }) => name)].map((name) => (
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
      <td data-name="Calls since">
        <Time at={run.window_from} />
      </td>
      {COUNTS.map(({ key, name }) => (
        <td key={key} data-name={name}>
          <Count n={hasCounted(run) ? run[key] : null} />
        </td>
      ))}
    </tr>
  );
}

/** Whether a run came as far as to count anything. The zeros of one that did not would say that ElevenLabs has no call. */
function hasCounted(run: RunItem): boolean {
  return (run.finished_at !== null && run.error === null) || COUNTS.some(({ key }) => run[key] > 0);
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
