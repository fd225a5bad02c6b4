import { useRef, useState } from 'preact/hooks';
import type { OperationItem } from '../../src/api/contract/operations.ts';
import { asApiError, post, type ApiError } from '../api/client.ts';
import { useApi } from '../api/use-api.ts';
import { useKeys } from '../keys/use-keys.ts';
import { Dialog } from '../parts/dialog.tsx';
import { countText, durationText } from '../parts/relative-time.ts';
import { Empty, Failed, Loading } from '../parts/states.tsx';
import { Tag } from '../parts/tag.tsx';
import { Time } from '../parts/time.tsx';
import { countsText, ProgressBar } from './operation-row.tsx';
import {
  isOpen,
  leftText,
  rateOf,
  rateText,
  readEveryMs,
  secondsLeft,
  through,
  withSample,
  type Sample,
} from './progress.ts';
import { eventsHref, filterTokens, kindText, statusOf } from './words.ts';

/** One operation, read each second while it goes on. */
export function OperationDetail({ id, onEnded }: { id: string; onEnded: () => void }) {
  const [everyMs, setEveryMs] = useState(readEveryMs(undefined, undefined));
  const { data, error, at, reload } = useApi<OperationItem>(`/operations/${encodeURIComponent(id)}`, { everyMs });
  const isMissing = error?.status === 404;
  const missingSince = useRef<number>(undefined);
  missingSince.current = isMissing ? (missingSince.current ?? Date.now()) : undefined;
  const next = readEveryMs(data, missingSince.current && Date.now() - missingSince.current);
  if (next !== everyMs) setEveryMs(next);
  if (isMissing) {
    return data ? (
      <Empty title="Not there any more">It was cancelled before a worker began it, or its row was deleted.</Empty>
    ) : (
      <Empty title="Not there">There is no operation with this id, or none yet.</Empty>
    );
  }
  if (!data) return error ? <Failed error={error} retry={reload} /> : <Loading what="the operation" />;
  function onCancelled(): void {
    reload();
    onEnded();
  }
  return (
    <>
      {error && <Failed error={error} retry={reload} />}
      <Operation operation={data} at={at ?? 0} onCancelled={onCancelled} />
    </>
  );
}

interface OperationProps {
  operation: OperationItem;
  /** When it was read, unix ms. */
  at: number;
  onCancelled: () => void;
}

/** How far it is, how quick, and how long yet. */
function Operation({ operation, at, onCancelled }: OperationProps) {
  const status = statusOf(operation);
  const samples = useRef<readonly Sample[]>([]);
  if (samples.current.at(-1)?.at !== at) {
    samples.current = withSample(samples.current, { at, through: through(operation) });
  }
  const rate = rateOf(operation, samples.current);
  const left = secondsLeft(operation, rate);
  return (
    <article>
      <h2 class="detail-title">{kindText(operation.kind)}</h2>
      <p class="operation-state">
        <Tag tone={status.tone}>{status.text}</Tag> <span class="quiet">{status.says}</span>
      </p>
      <div class="operation-now">
        <ProgressBar operation={operation} label="Progress" />
        <p class="operation-figures number">
          <span>{countsText(operation)}</span>
          <span>{rate === null ? '' : `${rateText(rate)} a second`}</span>
          <span>{left === null ? '' : leftText(left)}</span>
        </p>
      </div>
      {operation.message !== null && (
        <p class={`operation-message${operation.status === 'failed' ? ' operation-message-bad' : ''}`} dir="auto">
          {operation.message}
        </p>
      )}
      {isOpen(operation) && operation.cancel_requested_at === null && (
        <CancelButton operation={operation} onCancelled={onCancelled} />
      )}
      <Facts operation={operation} />
    </article>
  );
}

/** What was asked for, by whom, and when what happened. */
function Facts({ operation }: { operation: OperationItem }) {
  const tokens = filterTokens(operation.filter);
  const href = eventsHref(operation);
  const { started_at: start, finished_at: end } = operation;
  const seconds = start !== null && end !== null ? (Date.parse(end) - Date.parse(start)) / 1_000 : null;
  return (
    <dl class="facts section">
      <dt>For</dt>
      <dd>
        {tokens.length === 0 && 'everything'}
        <ul class="operation-tokens">
          {tokens.map((token) => (
            <li key={token} class="mono" dir="auto">
              {token}
            </li>
          ))}
        </ul>
        {href !== undefined && <a href={href}>Show these events</a>}
      </dd>
      <dt>Asked for by</dt>
      <dd dir="auto">{operation.requested_by ?? 'nobody who is known'}</dd>
      <dt>Asked for</dt>
      <dd>
        <Time at={operation.created_at} />
      </dd>
      <dt>Started</dt>
      <dd>
        <Time at={start} />
      </dd>
      <dt>Ended</dt>
      <dd>
        <Time at={end} /> {seconds !== null && <span class="quiet">after {durationText(seconds)}</span>}
      </dd>
      {operation.rate !== null && (
        <>
          <dt>At most</dt>
          <dd class="number">{countText(operation.rate)} a second</dd>
        </>
      )}
      <dt>Id</dt>
      <dd class="mono">{operation.id}</dd>
    </dl>
  );
}

/** Ends it, after one question. */
function CancelButton({ operation, onCancelled }: { operation: OperationItem; onCancelled: () => void }) {
  const [isAsking, setAsking] = useState(false);
  const [error, setError] = useState<ApiError>();
  useKeys({ c: { does: 'Cancel the operation', run: () => setAsking(true) } });
  async function cancel(): Promise<void> {
    try {
      await post(`/operations/${encodeURIComponent(operation.id)}/cancel`, {});
      setAsking(false);
      onCancelled();
    } catch (fault) {
      setError(asApiError(fault));
    }
  }
  return (
    <>
      <button type="button" class="button" onClick={() => setAsking(true)}>
        Cancel…
      </button>
      {isAsking && (
        <Dialog title="Cancel this operation?" onClose={() => setAsking(false)}>
          <p>
            {kindText(operation.kind)}: {countsText(operation)}. What it has done stays; the rest is left as it is.
          </p>
          {error && <Failed error={error} />}
          <footer class="dialog-foot">
            <button type="button" class="button" onClick={() => setAsking(false)}>
              Let it run
            </button>
            <button type="button" class="button button-danger" onClick={() => void cancel()}>
              Cancel the operation
            </button>
          </footer>
        </Dialog>
      )}
    </>
  );
}
