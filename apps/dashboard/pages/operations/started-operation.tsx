import { useState } from 'preact/hooks';
import type { OperationItem } from '../../src/api/contract/operations.ts';
import { useApi } from '../api/use-api.ts';
import { countsText, ProgressBar } from './operation-row.tsx';
import { isOpen, readEveryMs } from './progress.ts';
import { statusOf } from './words.ts';

/** What a dialog shows of the operation that it has started: how far it is, and in the end what came of it. Read each second until then. */
export function StartedOperation({ id, onClose }: { id: string; onClose: () => void }) {
  const [everyMs, setEveryMs] = useState(readEveryMs(undefined, undefined));
  const { data, error } = useApi<OperationItem>(`/operations/${encodeURIComponent(id)}`, { everyMs });
  const next = readEveryMs(data, undefined);
  if (next !== everyMs) setEveryMs(next);
  return (
    <>
      <Outcome operation={data} />
      {data?.status === 'running' && (
        <div class="operation-now">
          <ProgressBar operation={data} label="Progress" />
          <p class="operation-figures number">
            <span>{countsText(data)}</span>
          </p>
        </div>
      )}
      {/* Between two reads a worker may carry the request out: then neither has it for a moment. */}
      {error && error.status !== 404 && <p class="quiet">{error.message}</p>}
      <footer class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
        <a class="button button-primary" href={`/operations?operation=${id}`} onClick={onClose} ref={focusOn}>
          Open the operation
        </a>
      </footer>
    </>
  );
}

/** How it stands, told to screen readers as it changes: the figures beside it are not, which change each second. */
function Outcome({ operation }: { operation: OperationItem | undefined }) {
  const status = operation && statusOf(operation);
  const hasEnded = operation !== undefined && !isOpen(operation);
  const message = hasEnded ? operation.message : null;
  return (
    <div class={`state ${operation?.status === 'failed' ? 'state-failed' : 'state-done'}`} role="status">
      <h3>{status === undefined ? 'Started' : status.text.charAt(0).toUpperCase() + status.text.slice(1)}</h3>
      {status && <p>{status.says}</p>}
      {message !== null && (
        <p class="operation-outcome" dir="auto">
          {message}
        </p>
      )}
      {!hasEnded && <p>You can close this; it goes on.</p>}
    </div>
  );
}

/** Gives the focus to what goes on, once it is there. */
function focusOn(element: HTMLElement | null): void {
  element?.focus();
}
