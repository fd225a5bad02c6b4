import { ProviderError } from '../errors.ts';
import { TransientError } from './transient-error.ts';

/** One request and its answer, until somebody ends it. */
export interface Exchange {
  readonly response: Response;
  /** The pieces of the body. Throws a `TransientError` where the next one is waited for too long, or the body is cut. */
  pieces(): AsyncGenerator<Buffer, void, undefined>;
  /** Gives up the rest of the answer. */
  end(): void;
}

/** What a request and its answer need. */
export interface ExchangeOptions {
  /** How long the answer, or the next piece of it, is waited for, in ms. */
  silenceMs: number;
  signal: AbortSignal;
}

/**
 * Makes a request. The answer may be of any status.
 *
 * @throws  TransientError: the way to the provider fails, or the provider is silent. The reason of the signal as soon as that is aborted.
 */
export async function exchange(url: URL, init: RequestInit, options: ExchangeOptions): Promise<Exchange> {
  const { silenceMs, signal } = options;
  const way = new AbortController();
  const abort = () => way.abort(signal.reason);
  const end = () => {
    signal.removeEventListener('abort', abort);
    way.abort();
  };
  const inTime = async <T>(work: Promise<T>): Promise<T> => {
    const timer = setTimeout(() => way.abort(silent(url, silenceMs)), silenceMs);
    try {
      return await work;
    } catch (error) {
      signal.throwIfAborted();
      throw way.signal.aborted ? way.signal.reason : broken(url, error);
    } finally {
      clearTimeout(timer);
    }
  };
  signal.throwIfAborted();
  signal.addEventListener('abort', abort, { once: true });
  try {
    // The key must not follow a redirect to another server.
    const response = await inTime(fetch(url, { ...init, redirect: 'manual', signal: way.signal }));
    return { response, pieces: () => piecesOf(response, inTime), end };
  } catch (error) {
    end();
    throw error;
  }
}

async function* piecesOf(response: Response, inTime: <T>(work: Promise<T>) => Promise<T>) {
  if (response.body === null) return;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await inTime(reader.read());
    if (done) return;
    yield Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
}

function silent(url: URL, silenceMs: number): TransientError {
  const message = `ElevenLabs' API at ${url.origin} has sent nothing for ${silenceMs / 1000} seconds. Try again later.`;
  return new TransientError(new ProviderError('unavailable', message));
}

function broken(url: URL, cause: unknown): TransientError {
  const message = `ElevenLabs' API at ${url.origin} cannot be reached, or cuts its answers off (${reasonOf(cause)}). Check ELEVENLABS_API_URL, the network and the proxy.`;
  return new TransientError(new ProviderError('unavailable', message, { cause }));
}

/** Finds the code of the system's error below that of fetch. */
function reasonOf(error: unknown): string {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if ('code' in inner && typeof inner.code === 'string') return inner.code;
  }
  return 'no reason given';
}
