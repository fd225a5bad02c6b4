import { StorageError, type StorageFault } from '../storage-error.ts';
import type { BucketTarget } from '../storage-url.ts';

const CREDENTIALS =
  'Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, where the credentials are temporary)';
const RIGHTS =
  'Give its user s3:PutObject, s3:GetObject and s3:DeleteObject on the objects and s3:ListBucket on the bucket, or check the credentials';

/** What a code of a server or of the SDK means, and what to do. A code that is not here goes by its status. */
const CODES = new Map<string, [StorageFault, string]>(
  Object.entries<[StorageFault, string]>({
    CredentialsProviderError: [
      'refused',
      'No credentials were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role.',
    ],
    InvalidAccessKeyId: ['refused', `The server does not know the access key. ${CREDENTIALS}.`],
    SignatureDoesNotMatch: ['refused', `The secret does not belong to the access key. ${CREDENTIALS}.`],
    ExpiredToken: ['refused', `The credentials have expired. ${CREDENTIALS}.`],
    ExpiredTokenException: ['refused', `The credentials have expired. ${CREDENTIALS}.`],
    InvalidToken: ['refused', `The session token is not valid. ${CREDENTIALS}.`],
    AccessDenied: ['refused', `Access is denied. ${RIGHTS}.`],
    NoSuchBucket: [
      'refused',
      'There is no such bucket. Create it, or correct the bucket and endpoint= in RECORDINGS_URL.',
    ],
    InvalidBucketName: ['refused', 'There is no such bucket. Correct the bucket in RECORDINGS_URL.'],
    RegionMissing: ['refused', 'RECORDINGS_URL names no region. Add region= to it, or set AWS_REGION.'],
    PermanentRedirect: ['refused', 'The bucket is in another region. Correct region= in RECORDINGS_URL.'],
    AuthorizationHeaderMalformed: ['refused', 'The server takes another region. Correct region= in RECORDINGS_URL.'],
    IllegalLocationConstraintException: [
      'refused',
      'The bucket is in another region. Correct region= in RECORDINGS_URL.',
    ],
    RequestTimeTooSkewed: [
      'unavailable',
      "The clock of this machine differs from the server's by more than 15 minutes. Set it.",
    ],
    EntityTooLarge: ['full', 'The server takes no object of this size. Raise its limit.'],
    QuotaExceeded: ['full', 'The quota is used up. Raise it, or make room.'],
    XMinioAdminBucketQuotaExceeded: ['full', "The bucket's quota is used up. Raise it, or make room."],
    XMinioStorageFull: ['full', 'Its disk is full. Make room.'],
    BadDigest: ['damaged', 'The content did not arrive as it was sent.'],
    XAmzContentSHA256Mismatch: ['damaged', 'The content did not arrive as it was sent.'],
    NoSuchKey: ['missing', 'There is no such recording.'],
    RequestTimeout: ['unavailable', 'The server waited for the content too long.'],
    TimeoutError: [
      'unavailable',
      'No connection was made in time. Check endpoint= in RECORDINGS_URL, and the network.',
    ],
  }),
);

/** The facts of an error of the SDK that decide. */
interface Facts {
  /** The server's code, the SDK's name of the error, or the system's code. */
  code: string;
  /** Of the server's answer; undefined: there was none. */
  status: number | undefined;
}

/**
 * Turns an error of the SDK into a StorageError; returns a StorageError as it is. The message holds the code and the
 * status alone, and there is no cause: the SDK's error holds the access key and the request with its signature.
 */
export function toS3Error(error: unknown, { bucket, endpoint }: BucketTarget): StorageError {
  if (error instanceof StorageError) return error;
  const { code, status } = factsOf(error);
  const [fault, words] = CODES.get(code) ?? byStatus(status, code);
  const answer = status === undefined ? code : `${status} ${code}`;
  return new StorageError(fault, `S3 (${endpoint ?? 'AWS'}, bucket ${bucket}): ${answer}. ${words}`);
}

/** Returns the status of the server's answer; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  return factsOf(error).status;
}

function factsOf(error: unknown): Facts {
  if (!(error instanceof Error)) return { code: 'an unknown error', status: undefined };
  // The SDK gives this one no name of its own.
  if (/^Region (is missing|not accepted)/.test(error.message)) return { code: 'RegionMissing', status: undefined };
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  const hasCode = error.name.endsWith('Error') && 'code' in error && typeof error.code === 'string';
  const code = hasCode ? String(error.code) : error.name;
  // A server may send anything as its code; a message takes a name alone.
  return {
    code: /^[A-Za-z0-9._-]{1,60}$/.test(code) ? code : 'an unknown error',
    status: typeof status === 'number' ? status : undefined,
  };
}

function byStatus(status: number | undefined, code: string): [StorageFault, string] {
  if (/CERT|SELF_SIGNED|ERR_TLS/.test(code)) {
    return [
      'refused',
      "The server's certificate is not trusted. Put its authority's into a file that NODE_EXTRA_CA_CERTS names.",
    ];
  }
  if (status === undefined) return ['unavailable', 'Check endpoint= in RECORDINGS_URL, and the network.'];
  if (status === 401 || status === 403) return ['refused', `Access is denied. ${RIGHTS}.`];
  if (status === 404) return ['missing', 'There is no such recording, or no such bucket.'];
  if (status === 413 || status === 507)
    return ['full', 'There is no room for the recording. Make room, or raise the limit.'];
  if (status === 301 || status === 307)
    return ['refused', 'The bucket is elsewhere. Correct region= or endpoint= in RECORDINGS_URL.'];
  if (status === 501) return ['refused', 'The server lacks something that Landline needs.'];
  if (status === 408 || status === 409 || status === 429 || status >= 500)
    return ['unavailable', 'It may pass by itself.'];
  return ['refused', 'The server does not take the request. Check RECORDINGS_URL.'];
}
