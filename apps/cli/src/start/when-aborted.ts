import { once } from 'node:events';

/** Resolves when `signal` is aborted; at once where `signal` is aborted already. */
export async function whenAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
