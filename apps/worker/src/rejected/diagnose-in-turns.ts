import { setImmediate as nextTurn } from 'node:timers/promises';
import { diagnoseInSteps, type Diagnosis, type RefusedRequest } from '@landline/webhook/diagnose';

/** After so long a diagnosis lets events go on, in ms. One step of it may take longer: see `diagnoseInSteps`. */
const TURN_MS = 2;

/** Diagnoses a request, and lets others go on every few milliseconds. Returns how long it took of the processor, in ms, beside the diagnosis. */
export async function diagnoseInTurns(request: RefusedRequest): Promise<{ diagnosis: Diagnosis; spentMs: number }> {
  const steps = diagnoseInSteps(request);
  let spentMs = 0;
  for (;;) {
    const beganAt = performance.now();
    let step = steps.next();
    while (step.done !== true && performance.now() - beganAt < TURN_MS) step = steps.next();
    spentMs += performance.now() - beganAt;
    if (step.done === true) return { diagnosis: step.value, spentMs };
    // oxlint-disable-next-line no-await-in-loop -- one turn after another
    await nextTurn();
  }
}
