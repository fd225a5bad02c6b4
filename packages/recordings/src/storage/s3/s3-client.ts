import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type * as S3Sdk from '@aws-sdk/client-s3';
import type { BucketTarget } from '../storage-url.ts';

/** How many connections are open at once. An operation beyond them waits for a free one. */
const CONNECTION_LIMIT = 64;

/** How long an operation waits for its connection, in ms. */
const CONNECT_LIMIT_MS = 10_000;

const nothing = (): void => undefined;

/** Without a logger, the SDK writes warnings to the console. All that matters is in the errors. */
const SILENT = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** The SDK and a client of it. */
export interface LoadedClient {
  sdk: typeof S3Sdk;
  client: S3Sdk.S3Client;
}

/** Loads the SDK: its load time and memory are spent only where recordings go to S3. */
export async function loadClient(target: BucketTarget): Promise<LoadedClient> {
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    ...(target.region !== undefined && { region: target.region }),
    ...(target.endpoint !== undefined && { endpoint: target.endpoint }),
    forcePathStyle: target.isPathStyle,
    logger: SILENT,
    // The caller tries again, with growing pauses.
    maxAttempts: 1,
    // The defaults send a body in chunks of `aws-chunked`, which not every server takes.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With `Expect: 100-continue`, the SDK opens a connection for each body, beyond any limit.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECT_LIMIT_MS,
      // Every operation is watched by `watchProgress`, which does not count the time that a reader takes.
      socketTimeout: 0,
      requestTimeout: 0,
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets: CONNECTION_LIMIT }),
      httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: CONNECTION_LIMIT }),
    },
  });
  return { sdk, client };
}

/**
 * Makes a command sign the hash of its content. Without that, the SDK signs a stream as UNSIGNED-PAYLOAD, and the server
 * does not check what arrives.
 */
export function signContent(command: S3Sdk.PutObjectCommand, sha256: string): void {
  command.middlewareStack.add((next) => (args) => next({ ...args, request: withHash(args.request, sha256) }), {
    step: 'build',
    name: 'signContent',
  });
}

function withHash(request: unknown, sha256: string): unknown {
  if (typeof request === 'object' && request !== null && 'headers' in request) {
    Object.assign(request, { headers: Object.assign({}, request.headers, { 'x-amz-content-sha256': sha256 }) });
  }
  return request;
}
