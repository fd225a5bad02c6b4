import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { OperationCall, Plan } from '../../src/api/contract/operations.ts';
import { asApiError, post, type ApiError } from '../api/client.ts';
import { StartedOperation } from '../operations/started-operation.tsx';
import { Dialog } from './dialog.tsx';
import { confirmText, isSomething, mayFocus, newId, startCall } from './plan-call.ts';
import { countText } from './relative-time.ts';
import { Failed, Loading } from './states.tsx';

export interface PlanDialogProps {
  title: string;
  call: OperationCall;
  /** What the button says before the number, such as `Replay`. */
  verb: string;
  onClose: () => void;
  /** What can be chosen of it, above the plan. */
  children?: ComponentChildren;
}

/** How long counting may take before the dialog gives up. */
const PLAN_TIMEOUT_MS = 60_000;

/** Shows what an operation would do and to how many, asks once, starts it, and says what came of it. */
export function PlanDialog({ title, call, verb, onClose, children }: PlanDialogProps) {
  const { planned, error, retry } = usePlan(call);
  const start = useStart(call, planned);
  const hasPressedKey = useHasPressedKey();
  const focus = useCallback(
    (button: HTMLElement | null) => {
      if (mayFocus(call.kind, hasPressedKey.current)) button?.focus();
    },
    [call.kind],
  );
  const plan = planned?.plan;
  return (
    <Dialog title={title} isHeld={start.isStarting} onClose={onClose}>
      {start.id !== undefined && <StartedOperation id={start.id} onClose={onClose} />}
      {start.id === undefined && (
        <>
          {children}
          {plan === undefined && error === undefined && <Loading what="the plan" />}
          {error && <Failed error={error} retry={retry} />}
          {plan && <PlanText plan={plan} />}
          {start.error && <Failed error={start.error} />}
          <footer class="dialog-foot">
            <button type="button" class="button" disabled={start.isStarting} onClick={onClose}>
              {plan && !isSomething(plan) ? 'Close' : 'Cancel'}
            </button>
            {plan && isSomething(plan) && (
              <button
                type="button"
                class={`button ${call.kind === 'erase' ? 'button-danger' : 'button-primary'}`}
                // Not `disabled`, which would take the focus out of the dialog.
                aria-disabled={start.isStarting}
                ref={focus}
                onClick={start.run}
              >
                {start.isStarting ? 'Starting…' : confirmText(verb, plan)}
              </button>
            )}
          </footer>
        </>
      )}
    </Dialog>
  );
}

/** Whether a key was pressed since the dialog came. */
function useHasPressedKey(): { readonly current: boolean } {
  const pressed = useRef(false);
  useEffect(() => {
    const note = (): void => void (pressed.current = true);
    window.addEventListener('keydown', note, { capture: true });
    return () => window.removeEventListener('keydown', note, { capture: true });
  }, []);
  return pressed;
}

/** A plan, and the id of the operation that it becomes. */
interface Planned {
  plan: Plan;
  id: string;
}

/** Asks for the plan. Nothing is changed by it. */
function usePlan(call: OperationCall): {
  planned: Planned | undefined;
  error: ApiError | undefined;
  retry: () => void;
} {
  const [planned, setPlanned] = useState<Planned>();
  const [error, setError] = useState<ApiError>();
  const [round, setRound] = useState(0);
  const asked = JSON.stringify(call);
  useEffect(() => {
    const abort = new AbortController();
    setPlanned(undefined);
    setError(undefined);
    post<Plan>('/operations/plan', JSON.parse(asked), { signal: abort.signal, timeoutMs: PLAN_TIMEOUT_MS })
      .then((plan) => setPlanned({ plan, id: newId() }))
      .catch((fault: unknown) => {
        if (!abort.signal.aborted) setError(asApiError(fault));
      });
    return () => abort.abort();
  }, [asked, round]);
  return { planned, error, retry: () => setRound((n) => n + 1) };
}

/** Starts what was planned, once: pressed again after a lost answer, it sends the same id. */
function useStart(call: OperationCall, planned: Planned | undefined) {
  const [id, setId] = useState<string>();
  const [error, setError] = useState<ApiError>();
  const [isStarting, setStarting] = useState(false);
  function run(): void {
    if (!planned || isStarting) return;
    setStarting(true);
    setError(undefined);
    post<{ id: string }>('/operations', startCall(call, planned.plan, planned.id))
      .then((started) => setId(started.id))
      .catch((fault: unknown) => setError(asApiError(fault)))
      .finally(() => setStarting(false));
  }
  return { id, error, isStarting, run };
}

/** The plan in a sentence, and how many of each. */
function PlanText({ plan }: { plan: Plan }) {
  return (
    <div class="plan">
      <p class="plan-text" dir="auto">
        {plan.text}
      </p>
      {plan.parts.length > 0 && (
        <ul class="plan-parts">
          {plan.parts.map(({ name, counts }) => (
            <li key={name}>
              <span class="plan-part-name">{name}</span>
              <span class="plan-part-counts">
                {Object.entries(counts).map(([word, n]) => (
                  <span key={word}>
                    {countText(n)} {n === 1 ? word.replaceAll('_', ' ').replace(/s$/, '') : word.replaceAll('_', ' ')}
                  </span>
                ))}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
