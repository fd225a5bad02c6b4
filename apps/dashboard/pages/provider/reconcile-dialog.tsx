import { useMemo, useState } from 'preact/hooks';
import type { OperationCall } from '../../src/api/contract/operations.ts';
import { PlanDialog } from '../parts/plan-dialog.tsx';

/** Since when calls are compared; none: the workers' usual time. */
const SPANS: readonly { name: string; since: string | undefined }[] = [
  { name: 'Usual time', since: undefined },
  { name: '7 days', since: '7d' },
  { name: '30 days', since: '30d' },
];

/** Asks how far back calls are compared, shows what that would do, and starts it. */
export function ReconcileDialog({ onClose }: { onClose: () => void }) {
  const [since, setSince] = useState<string>();
  const call = useMemo<OperationCall>(
    () => ({ kind: 'reconcile', filter: since === undefined ? {} : { since } }),
    [since],
  );
  return (
    <PlanDialog title="Compare with ElevenLabs" verb="Reconcile" call={call} onClose={onClose}>
      <div class="choices plan-choices" role="group" aria-label="Calls of the last">
        {SPANS.map((span) => (
          <button
            key={span.name}
            type="button"
            aria-pressed={span.since === since}
            onClick={() => setSince(span.since)}
          >
            {span.name}
          </button>
        ))}
      </div>
    </PlanDialog>
  );
}
