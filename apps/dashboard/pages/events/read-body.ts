import { useEffect, useState } from 'preact/hooks';
import { asApiError, getText, type ApiError } from '../api/client.ts';

/** How much of a body a page reads, in bytes. */
export const SHOWN_BYTES = 65_536;

/** What a page has of a body. */
export interface BodyRead {
  text: string;
  /** Of the body that the ledger has, in bytes. */
  bytes: number;
  isWhole: boolean;
}

/** The address of the exact bytes. */
export function bodyHref(id: string): string {
  return `/api/v1/events/${encodeURIComponent(id)}/body`;
}

/** Reads the beginning of a body. @throws {ApiError} */
async function readBody(id: string, signal: AbortSignal): Promise<BodyRead> {
  const path = `/events/${encodeURIComponent(id)}/body?limit=${SHOWN_BYTES}`;
  const { text, headers } = await getText(path, { signal });
  const bytes = Number(headers.get('x-body-bytes') ?? Number.NaN);
  const isWhole = Number.isNaN(bytes) || bytes <= SHOWN_BYTES;
  return { text, bytes: Number.isNaN(bytes) ? new TextEncoder().encode(text).length : bytes, isWhole };
}

interface State {
  id: string;
  body?: BodyRead;
  error?: ApiError;
}

/** Reads the body of the event that is open. */
export function useBody(id: string): Omit<State, 'id'> & { reload: () => void } {
  const [state, setState] = useState<State>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    const ended = new AbortController();
    readBody(id, ended.signal).then(
      (body) => setState({ id, body }),
      (error: unknown) => {
        if (!ended.signal.aborted) setState({ id, error: asApiError(error) });
      },
    );
    return () => ended.abort();
  }, [id, round]);
  const reload = (): void => setRound((n) => n + 1);
  return state?.id === id ? { ...state, reload } : { reload };
}
