import { useCallback, useEffect, useState } from 'preact/hooks';
import { asApiError, get, type ApiError } from './client.ts';
import { startPolling, type Turn } from './poll.ts';

/** A poll that takes longer than this is given up, so that the next one can come. */
const POLL_TIMEOUT_MS = 10_000;

interface State<T> {
  path: string | null;
  data: T | undefined;
  error: ApiError | undefined;
  /** When `data` came, unix ms. */
  at: number | undefined;
}

export interface Loaded<T> {
  /** What this path has told last. */
  data: T | undefined;
  /** What the path before has told, while this one loads. It is of another thing: nothing may be done with it. */
  previous: T | undefined;
  error: ApiError | undefined;
  isLoading: boolean;
  /** When `data`, or else `previous`, came, unix ms. */
  at: number | undefined;
  reload: () => void;
}

/** How a path is read again and again. */
interface Rhythm {
  /** From an answer to the next request, in milliseconds; 0 reads once. Faults make it longer. */
  everyMs?: number;
  /** Whether the rhythm stays while a server is away. */
  isSteady?: boolean;
}

/**
 * Reads a path of the API, and again `everyMs` after each answer while the tab is visible.
 *
 * @param path Below /api/v1; null reads nothing.
 */
export function useApi<T>(path: string | null, { everyMs = 0, isSteady = false }: Rhythm = {}): Loaded<T> {
  const [state, setState] = useState<State<T>>({ path: null, data: undefined, error: undefined, at: undefined });
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (path === null) return undefined;
    const asking = everyMs > 0 ? { timeoutMs: POLL_TIMEOUT_MS } : {};
    async function run(signal: AbortSignal): Promise<Turn> {
      try {
        const data = await get<T>(path ?? '', { signal, ...asking });
        if (!signal.aborted) setState({ path, data, error: undefined, at: Date.now() });
        return 'well';
      } catch (error) {
        if (signal.aborted) return 'last';
        const fault = asApiError(error);
        // Data of another path is not what was asked for, and must not stand beside this error.
        setState((old) => ({ ...(old.path === path ? old : NOTHING), path, error: fault }));
        return fault;
      }
    }
    return startPolling({ everyMs, isSteady, run });
  }, [path, everyMs, isSteady, round]);
  const reload = useCallback(() => setRound((n) => n + 1), []);
  if (path === null) return { ...EMPTY, isLoading: false, reload };
  const isCurrent = state.path === path;
  return {
    data: isCurrent ? state.data : undefined,
    previous: isCurrent ? undefined : state.data,
    error: isCurrent ? state.error : undefined,
    at: state.at,
    isLoading: !isCurrent || (state.data === undefined && state.error === undefined),
    reload,
  };
}

const NOTHING = { data: undefined, at: undefined };
const EMPTY = { data: undefined, previous: undefined, error: undefined, at: undefined };
