import { Readable } from 'node:stream';
import { BodyMissingError } from '@landline/operations';
import { inTime } from './deadline.ts';
import { ApiFault } from './faults.ts';

/** What ends the reading of bytes. */
export interface StreamSignals {
  /** Aborted when the first bytes must be there. */
  signal: AbortSignal;
  /** Aborted when nobody waits for them any more. */
  gone: AbortSignal;
}

const STORAGE_LATE = 'The storage did not answer in time. See that it runs, and ask again.';

/**
 * Makes a stream of bytes once the first of them are there, so that a fault is an answer and no cut connection. The first have to come in time; the rest
 * flows for as long as somebody reads it.
 *
 * @param read  Begins to read. Its signal ends the reading.
 * @throws ApiFault of status 410 where the bytes are gone, 503 where the storage does not give what it should have, 504 where it gives nothing in time
 */
export async function begunStream(
  read: (signal: AbortSignal) => AsyncIterable<Buffer>,
  { signal, gone }: StreamSignals,
): Promise<Readable> {
  const ended = new AbortController();
  const parts = read(AbortSignal.any([gone, ended.signal]))[Symbol.asyncIterator]();
  try {
    const first = await inTime(parts.next(), signal, () => ({ message: STORAGE_LATE }));
    return Readable.from(joined(first, parts), { objectMode: false });
  } catch (error) {
    ended.abort();
    throw bytesFault(error);
  }
}

async function* joined(first: IteratorResult<Buffer>, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    for (let part = first; !part.done; part = await rest.next()) yield part.value;
  } finally {
    await rest.return?.();
  }
}

/** Reads why bytes cannot be given as an answer. */
function bytesFault(error: unknown): unknown {
  if (!(error instanceof BodyMissingError)) return error;
  const { message, cause } = error;
  const isAway = error.reason === 'unreadable' && !isMissing(cause);
  return isAway
    ? new ApiFault(503, { code: 'unavailable', message: `The storage does not give it now. ${message}` })
    : new ApiFault(410, { code: 'body_missing', message }, { cause: error });
}

/** The error of packages/recordings for what is not in the storage any more. */
function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'missing';
}
