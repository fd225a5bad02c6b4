import { useState } from 'preact/hooks';
import type { Provider } from '../../src/api/contract/provider.ts';
import { useApi } from '../api/use-api.ts';
import { useKeys } from '../keys/use-keys.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Empty, Failed, Loading, Stale } from '../parts/states.tsx';
import { Agents } from './agents.tsx';
import { Completeness } from './completeness.tsx';
import { Findings } from './findings.tsx';
import { ReconcileDialog } from './reconcile-dialog.tsx';
import { Runs } from './runs.tsx';
import { WebhookState } from './webhook-state.tsx';

/** How often the page is read: often while a comparison goes on. */
const RUNNING_MS = 1_000;
const QUIET_MS = 5_000;

/** The provider's side of the line: whether our webhook is up, what is wrong there, and what never came. */
export function ProviderPage() {
  const [isBusy, setBusy] = useState(false);
  const [isAsked, setAsked] = useState(false);
  const { data, error, reload } = useApi<Provider>('/provider', { everyMs: isBusy ? RUNNING_MS : QUIET_MS });
  const isReconciling = data?.is_reconciling ?? false;
  if (isReconciling !== isBusy) setBusy(isReconciling);
  useKeys({ r: { does: 'Compare with the provider now', run: () => setAsked(true) } });
  function close(): void {
    setAsked(false);
    reload();
  }
  return (
    <div class="page">
      <PageHead title="Provider">
        <button type="button" class="button" onClick={() => setAsked(true)}>
          Reconcile now…
        </button>
      </PageHead>
      {!data && !error && <Loading what="the provider’s side" />}
      {!data && error && <Failed error={error} retry={reload} />}
      {data && error && <Stale error={error} retry={reload} />}
      {data && <Shown provider={data} />}
      {isAsked && <ReconcileDialog onClose={close} />}
    </div>
  );
}

/** All of it. What depends on a look at the provider's side is left out where there was none. */
function Shown({ provider }: { provider: Provider }) {
  const { check, advice } = provider;
  return (
    <div class="provider">
      {check === null ? (
        <Empty title="The provider’s side was not seen yet">{advice}</Empty>
      ) : (
        <>
          <WebhookState check={check} />
          <Findings findings={check.findings} />
        </>
      )}
      <Completeness provider={provider} />
      <Runs runs={provider.runs} />
      {check !== null && <Agents check={check} />}
    </div>
  );
}
