import type { OperationItem } from '../../src/api/contract/operations.ts';
import { countText } from '../parts/relative-time.ts';
import { Tag } from '../parts/tag.tsx';
import { Time } from '../parts/time.tsx';
import { isOpen, shareOf, through } from './progress.ts';
import { filterTokens, kindText, statusOf } from './words.ts';

/** A bar that says how far it is; where nobody knows how many there are, that it goes on. */
export function ProgressBar({ operation, label }: { operation: OperationItem; label?: string }) {
  const share = shareOf(operation);
  const percent = share === null ? undefined : Math.floor(share * 100);
  // In a row of the list the figures beside it say the same.
  const semantics =
    label === undefined
      ? { 'aria-hidden': true }
      : {
          role: 'progressbar' as const,
          'aria-label': label,
          'aria-valuenow': percent,
          'aria-valuemin': 0,
          'aria-valuemax': 100,
        };
  return (
    <span class={`progress progress-${operation.status}${share === null ? ' progress-unknown' : ''}`} {...semantics}>
      <span
        class="progress-fill"
        style={{ transform: `scaleX(${share ?? (operation.status === 'running' ? 0.3 : 0)})` }}
      />
    </span>
  );
}

/** How many of how many. */
export function countsText(operation: OperationItem): string {
  const { total, failed } = operation;
  const of = total === null ? '' : ` of ${countText(total)}`;
  return `${countText(through(operation))}${of}${failed > 0 ? `, ${countText(failed)} failed` : ''}`;
}

/** One operation of the list. */
export function OperationRow({ operation }: { operation: OperationItem }) {
  const status = statusOf(operation);
  const tokens = filterTokens(operation.filter).join(' ');
  return (
    <div class="operation-row">
      <span class="operation-what">
        <span class="operation-kind">{kindText(operation.kind)}</span>
        <span class="cut quiet operation-filter" dir="auto">
          {tokens === '' ? 'no filter' : tokens}
        </span>
      </span>
      <span class="operation-progress">
        <span class="number">{countsText(operation)}</span>
        {isOpen(operation) && <ProgressBar operation={operation} />}
      </span>
      <span class="operation-by cut quiet">{operation.requested_by ?? ''}</span>
      <span class="operation-when quiet">
        <Time at={operation.created_at} />
      </span>
      <span class="operation-status">
        <Tag tone={status.tone}>{status.text}</Tag>
      </span>
    </div>
  );
}
