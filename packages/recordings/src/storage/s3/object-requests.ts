import { Readable } from 'node:stream';
import { checkedContent } from '../content.ts';
import type { Span } from '../span.ts';
import { StorageError } from '../storage-error.ts';
import type { PutOptions } from '../storage.ts';
import type { Progress } from './progress.ts';
import { signContent } from './s3-client.ts';
import { statusOf } from './s3-error.ts';
import type { S3Body, S3Request } from './s3-requests.ts';

/** Where an object is. */
export interface Place {
  bucket: string;
  key: string;
}

/** What the server tells of an object. */
export interface ObjectFacts {
  bytes: number | undefined;
  /** As Landline noted it; undefined where it did not, or a copy of the bucket lost it. */
  sha256: string | undefined;
}

/** The answers to a write where an object is there already. 304 comes of an old MinIO, 409 of a writer at the same time. */
const TAKEN = [304, 409, 412];

/**
 * How many idle limits the answer to a PUT may take once its last byte was handed over. The system may still hold
 * megabytes of it, which a slow line takes a minute to carry; a shorter time would fail on such a line again and again.
 */
const ANSWER_LIMITS = 3;

/** Asks for the facts of an object. `hidden`: the server refuses to say; AWS does where the user may not list, and there is no object. */
export function headObject({ bucket, key }: Place): S3Request<ObjectFacts | 'absent' | 'hidden'> {
  return async ({ sdk, client }, { signal }) => {
    const command = new sdk.HeadObjectCommand({ Bucket: bucket, Key: key });
    try {
      const { ContentLength, Metadata } = await client.send(command, { abortSignal: signal });
      return { bytes: ContentLength, sha256: Metadata?.['sha256'] };
    } catch (error) {
      // This answer has no body, so its status alone tells. A missing bucket answers so as well; the write then says it.
      const status = statusOf(error);
      if (status === 404) return 'absent';
      if (status === 403) return 'hidden';
      throw error;
    }
  };
}

/**
 * Writes an object by one PUT, with its length and its hash.
 *
 * @param isAws  Also hands the hash over as a checksum that AWS keeps. Other servers may not know it, and the signature has it anyway.
 * @returns      false where the key holds an object already, and the server looked
 */
export function putObject({ bucket, key }: Place, options: PutOptions, isAws: boolean): S3Request<boolean> {
  return async ({ sdk, client }, progress) => {
    const { body, fault } = await bodyOf(options, progress);
    const command = new sdk.PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: body,
      ContentLength: options.bytes,
      ContentType: options.contentType,
      Metadata: { sha256: options.sha256 },
      IfNoneMatch: '*',
      ...(isAws && { ChecksumSHA256: Buffer.from(options.sha256, 'hex').toString('base64') }),
    });
    signContent(command, options.sha256);
    try {
      await client.send(command, { abortSignal: progress.signal });
      return true;
    } catch (error) {
      if (TAKEN.includes(statusOf(error) ?? 0)) return false;
      throw fault() ?? error;
    } finally {
      if (body instanceof Readable) body.destroy();
    }
  };
}

/**
 * Writes a small object, unless it is there already. Either proves the right to write.
 */
export function putProbe({ bucket, key }: Place): S3Request<void> {
  return async ({ sdk, client }, { signal }) => {
    const Body = 'Landline has tried here whether it may write.\n';
    const command = new sdk.PutObjectCommand({ Bucket: bucket, Key: key, Body, IfNoneMatch: '*' });
    try {
      await client.send(command, { abortSignal: signal });
    } catch (error) {
      if (!TAKEN.includes(statusOf(error) ?? 0)) throw error;
    }
  };
}

/** Begins to read an object, or a range of it. A range behind the object's end has no body. */
export function getObject({ bucket, key }: Place, span?: Span): S3Request<S3Body> {
  return async ({ sdk, client }, { signal }) => {
    const range = span === undefined ? {} : { Range: `bytes=${span.start}-${span.end ?? ''}` };
    const command = new sdk.GetObjectCommand({ Bucket: bucket, Key: key, ...range });
    try {
      const { Body, ContentLength, ContentRange } = await client.send(command, { abortSignal: signal });
      if (span !== undefined && !isWithin(ContentRange, span)) throw new StorageError('unavailable', OTHER_RANGE);
      return { body: Body, bytes: ContentLength };
    } catch (error) {
      if (span === undefined || statusOf(error) !== RANGE_NOT_SATISFIABLE) throw error;
      return { body: Readable.from([]), bytes: 0 };
    }
  };
}

const RANGE_NOT_SATISFIABLE = 416;
const OTHER_RANGE = 'S3 was asked for a range of a recording, and answered with another one.';

/** Tells whether a server gives what it was asked for: one that knows no ranges answers with everything. */
function isWithin(contentRange: string | undefined, { start, end = Infinity }: Span): boolean {
  const [, from, to] = /^bytes (\d+)-(\d+)\//.exec(contentRange ?? '') ?? [];
  return Number(from) === start && Number(to) <= end;
}

/** Removes an object that may be gone already. */
export function deleteObject({ bucket, key }: Place): S3Request<void> {
  return async ({ sdk, client }, { signal }) => {
    await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
  };
}

/** Returns the body of a PUT. A content that turns out wrong aborts the request, so the server never has the whole of it. */
async function bodyOf(
  options: PutOptions,
  progress: Progress,
): Promise<{ body: Readable | Buffer; fault: () => unknown }> {
  if (options.bytes === 0) {
    for await (const part of checkedContent(options)) {
      throw new StorageError('damaged', `The content to store is not empty: ${part.length} bytes.`);
    }
    return { body: Buffer.alloc(0), fault: () => undefined };
  }
  let fault: unknown;
  const body = Readable.from(withProgress(checkedContent(options), progress), { objectMode: false });
  body.once('error', (error) => {
    fault = error;
    progress.abort();
  });
  return { body, fault: () => fault };
}

async function* withProgress(parts: AsyncIterable<Buffer>, { touch }: Progress): AsyncGenerator<Buffer> {
  for await (const part of parts) {
    touch();
    yield part;
  }
  touch(ANSWER_LIMITS);
}
