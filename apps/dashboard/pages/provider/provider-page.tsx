import { useState } from 'preact/hooks';
import type { Provider } from '../../src/api/contract/provider.ts';
import { useApi } from '../api/use-api.ts';
import { useKeys } from '../keys/use-keys.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Empty, Failed, Loading, Stale } from '../parts/states.tsx';
import { Agents } from './agents.tsx';
import { Completeness } from './completeness.tsx';
import { Findings } from './findings.tsx';
import { LastTry } from './last-try.tsx';
import { ReconcileDialog } from './reconcile-dialog.tsx';
import { Runs } from './runs.tsx';
import { WebhookState } from './webhook-state.tsx';

/** How often the page is read: often while a comparison goes on. */
const RUNNING_MS = 1_000;
const QUIET_MS = 5_000;

/** ElevenLabs' side of the line: whether our webhook is up, what is wrong there, and what never came. */
export function ProviderPage() {
  const [isBusy, setBusy] = useState(false);
  const [isAsked, setAsked] = useState(false);
  const { data, error, reload } = useApi<Provider>('/provider', { everyMs: isBusy ? RUNNING_MS : QUIET_MS });
  const isReconciling = data?.is_reconciling ?? false;
  if (isReconciling !== isBusy) setBusy(isReconciling);
  useKeys({ r: { does: 'Compare with ElevenLabs now', run: () => setAsked(true) } });
  function close(): void {
    setAsked(false);
    reload();
  }
  return (
    <div class="page">
      <PageHead title="ElevenLabs">
        <button type="button" class="button" onClick={() => setAsked(true)}>
          Reconcile now…
        </button>
      </PageHead>
      {!data && !error && <Loading what="ElevenLabs’ side" />}
      {!data && error && <Failed error={error} retry={reload} />}
      {data && error && <Stale error={error} retry={reload} />}
      {data && <Shown provider={data} />}
      {isAsked && <ReconcileDialog onClose={close} />}
    </div>
  );
}

/** All of it. What depends on a look at ElevenLabs' side is left out where there was none. */
function Shown({ provider }: { provider: Provider }) {
  const { check, advice, last_failure: failure } = provider;
  const isOld = check !== null && failure !== null && failure.at > check.checked_at;
  return (
    <div class="provider">
      <LastTry failure={failure} />
      {check === null ? (
        <Empty title="ElevenLabs’ side was not seen yet">{advice}</Empty>
      ) : (
        <>
          <WebhookState check={check} isOld={isOld} />
          <Findings check={check} />
        </>
      )}
      <Completeness provider={provider} />
      <Runs runs={provider.runs} />
      {check !== null && <Agents check={check} />}
    </div>
  );
}
