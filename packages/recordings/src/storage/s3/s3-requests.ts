import { addAbortSignal, Readable } from 'node:stream';
import { SourceError } from '../content.ts';
import { StorageError } from '../storage-error.ts';
import type { BucketTarget } from '../storage-url.ts';
import { watchProgress, type Progress } from './progress.ts';
import { loadClient, type LoadedClient } from './s3-client.ts';
import { toS3Error } from './s3-error.ts';

/** A request that is made by the SDK's client, under watch. */
export type S3Request<T> = (client: LoadedClient, progress: Progress) => Promise<T>;

/** Makes requests to one server. */
export interface S3Requests {
  /** Makes a request. @throws StorageError; SourceError as it is */
  make<T>(request: S3Request<T>): Promise<T>;
  /** Makes a request, and yields the body of its answer. @throws StorageError, or the signal's reason */
  read(request: S3Request<S3Body>, signal?: AbortSignal): AsyncGenerator<Buffer>;
  /** Ends every request under way, and closes the connections. */
  close(): void;
}

/** The body of an answer. */
export interface S3Body {
  body: unknown;
  /** Its size, as the server announces it. */
  bytes: number | undefined;
}

/**
 * Creates the requests to a server, and loads the SDK at once. A process that has no descriptors left when it first needs the SDK could never
 * load it: Node remembers what it did not find.
 *
 * @param idleLimitMs  How long no byte may come or go until a request fails.
 */
export function createRequests(target: BucketTarget, idleLimitMs: number): S3Requests {
  const underWay = new Set<Progress>();
  let isClosed = false;
  const client = keepClient(target);
  const load = () => (isClosed ? Promise.reject(closed()) : client.load());

  function toError(error: unknown, progress: Progress): Error {
    if (error instanceof SourceError || error instanceof StorageError) return error;
    if (isClosed) return closed();
    return progress.isStuck() ? stuck(target, idleLimitMs) : toS3Error(error, target);
  }

  function begin(signal?: AbortSignal): Progress {
    const progress = watchProgress(idleLimitMs, signal);
    underWay.add(progress);
    progress.touch();
    return progress;
  }

  function end(progress: Progress): void {
    progress.pause();
    underWay.delete(progress);
  }

  return {
    async make(request) {
      const progress = begin();
      try {
        return await request(await load(), progress);
      } catch (error) {
        throw toError(error, progress);
      } finally {
        end(progress);
      }
    },
    async *read(request, signal) {
      signal?.throwIfAborted();
      const progress = begin(signal);
      try {
        yield* partsOf(await request(await load(), progress), progress);
      } catch (error) {
        signal?.throwIfAborted();
        throw toError(error, progress);
      } finally {
        end(progress);
      }
    },
    close() {
      isClosed = true;
      for (const progress of underWay) progress.abort();
      client.destroy();
    },
  };
}

/** Loads the client at once, and again when that failed and somebody needs it. */
function keepClient(target: BucketTarget) {
  let loaded: Promise<LoadedClient> | undefined;

  function load(): Promise<LoadedClient> {
    loaded ??= loadClient(target).catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  }

  load().catch(ignore);
  return { load, destroy: () => void loaded?.then(({ client }) => client.destroy(), ignore) };
}

/** Who needs the client gets the error. */
function ignore(): void {}

/** Yields the parts of a body. The time that the reader takes for a part is no time without progress. */
async function* partsOf({ body, bytes }: S3Body, progress: Progress): AsyncGenerator<Buffer> {
  if (!(body instanceof Readable)) throw new StorageError('unavailable', 'S3 answered without a content.');
  addAbortSignal(progress.signal, body);
  let read = 0;
  const parts: AsyncIterable<unknown> = body;
  for await (const part of parts) {
    if (!Buffer.isBuffer(part)) throw new StorageError('unavailable', 'S3 answered with something else than bytes.');
    read += part.length;
    progress.pause();
    yield part;
    progress.touch();
  }
  if (bytes !== undefined && read !== bytes) {
    throw new StorageError('unavailable', `S3 sent ${read} of ${bytes} bytes.`);
  }
}

function closed(): StorageError {
  return new StorageError('unavailable', 'The storage is closed.');
}

function stuck({ endpoint }: BucketTarget, idleLimitMs: number): StorageError {
  const message = `S3 (${endpoint ?? 'AWS'}): no byte came or went for ${idleLimitMs / 1000} seconds.`;
  return new StorageError('unavailable', message);
}
