import { isContent, type Content } from '../content.ts';
import { keyAtEnd } from '../recording-key.ts';
import { spanOf } from '../span.ts';
import { StorageError } from '../storage-error.ts';
import type { BucketTarget } from '../storage-url.ts';
import type { PutOptions, Storage } from '../storage.ts';
import { createPut } from '../store-once.ts';
import {
  deleteObject,
  getObject,
  headObject,
  putObject,
  putProbe,
  type ObjectFacts,
  type Place,
} from './object-requests.ts';
import { createRequests, type S3Requests } from './s3-requests.ts';

/** How often a write is tried where other writers come in between. */
const TRIES = 3;

/** The name of the object by which the storage tries whether it may write, behind the prefix. */
const PROBE = '.landline-check';

/** Keeps recordings in an S3 bucket. */
export function createS3Storage(target: BucketTarget, { idleLimitMs }: { idleLimitMs: number }): Storage {
  const requests = createRequests(target, idleLimitMs);
  const isAws = target.endpoint === undefined;
  const placeFor = (key: string): Place => ({ bucket: target.bucket, key: `${target.prefix}${key}` });
  async function probe(): Promise<void> {
    await requests.make(putProbe(placeFor(PROBE)));
    // A user without the right to remove may still store.
    await requests.make(deleteObject(placeFor(PROBE))).catch(() => undefined);
  }

  async function storeAt(key: string, content: PutOptions): Promise<string | undefined> {
    const place = placeFor(key);
    for (let tried = 0; tried < TRIES; tried += 1) {
      // oxlint-disable-next-line no-await-in-loop -- each step depends on the one before
      const found = await lookAt(requests, place, content);
      if (found === 'same') return urlOf(place);
      if (found === 'other') return undefined;
      // A server that refuses everything says so here, before it is sent a whole content.
      // oxlint-disable-next-line no-await-in-loop -- see above
      if (found === 'hidden') await probe();
      // oxlint-disable-next-line no-await-in-loop -- see above
      if (await requests.make(putObject(place, content, isAws))) return urlOf(place);
      if (found === 'hidden') throw hidden(place);
    }
    throw new StorageError('unavailable', `Other writers came in between ${TRIES} times.`);
  }

  return {
    put: createPut({ storeAt, toError: withoutMissing }),
    async *read(url, options = {}) {
      const span = spanOf(options);
      yield* requests.read(getObject(placeOf(url), span), options.signal);
    },
    async sizeOf(url) {
      const place = placeOf(url);
      return sizeIn(await requests.make(headObject(place)), place);
    },
    async remove(url) {
      const place = placeOf(url);
      await requests.make(deleteObject(place)).catch(ignoreMissing);
    },
    check: () =>
      probe().catch((error: unknown) => {
        throw withoutMissing(error);
      }),
    close: () => requests.close(),
  };
}

async function lookAt(
  requests: S3Requests,
  place: Place,
  content: Content,
): Promise<'same' | 'other' | 'absent' | 'hidden'> {
  const found = await requests.make(headObject(place));
  if (found === 'absent' || found === 'hidden') return found;
  if (found.bytes !== content.bytes) return 'other';
  const isSame =
    found.sha256 === undefined
      ? await isContent(requests.read(getObject(place)), content)
      : found.sha256 === content.sha256;
  return isSame ? 'same' : 'other';
}

function sizeIn(found: ObjectFacts | 'absent' | 'hidden', place: Place): number {
  if (found === 'absent') throw new StorageError('missing', `There is no recording at ${urlOf(place)}.`);
  if (found === 'hidden') throw hidden(place);
  if (found.bytes !== undefined) return found.bytes;
  throw new StorageError('unavailable', `S3 does not say how large ${urlOf(place)} is.`);
}

function urlOf({ bucket, key }: Place): string {
  return `s3://${bucket}/${key}`;
}

const OBJECT_URL = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/((?:(?!\.)[A-Za-z0-9._-]+\/)*[A-Za-z0-9._-]+)$/;

/** The URL may be older than the present RECORDINGS_URL, so any bucket and prefix may lead to the key. */
function placeOf(url: string): Place {
  const [, bucket, key] = OBJECT_URL.exec(url) ?? [];
  if (bucket !== undefined && key !== undefined && keyAtEnd(key) !== undefined) return { bucket, key };
  throw new StorageError(
    'refused',
    url.startsWith('file:')
      ? 'The recording is in a folder, and RECORDINGS_URL names a bucket. Set RECORDINGS_URL to the folder to reach it.'
      : 'The URL of a recording must be s3: with a bucket and a key that Landline has stored.',
  );
}

function isMissing(error: unknown): error is StorageError {
  return error instanceof StorageError && error.code === 'missing';
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}

/** At a write, a server that misses something misses the bucket. */
function withoutMissing(error: unknown): unknown {
  return isMissing(error) ? new StorageError('refused', error.message) : error;
}

function hidden(place: Place): StorageError {
  return new StorageError(
    'refused',
    `The server does not say what ${urlOf(place)} holds. Give its user s3:GetObject on the objects.`,
  );
}
