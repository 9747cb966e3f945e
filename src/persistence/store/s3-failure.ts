/**
 * What an S3 service says when it does not do what it was asked, told as a StoreError with a sentence that the
 * operator can act on. Names of errors: Amazon S3 API reference, "List of error codes".
 */
import { StoreError, type StoreFailure } from './store.ts';

interface Kind {
  readonly failure: StoreFailure;
  readonly names: RegExp;
  readonly statuses: readonly number[];
  readonly sentence: string;
}

// Read from the top (a broken connection before a time-out: the SDK calls both a TimeoutError): the first kind whose
// names match decides, then the first whose HTTP status does.
const KINDS: readonly Kind[] = [
  {
    failure: 'no-bucket',
    names: /^NoSuchBucket$/,
    statuses: [],
    sentence: 'the bucket does not exist: create it, or correct STORE_URL',
  },
  {
    failure: 'not-found',
    names: /^(NoSuchKey|NotFound)$/,
    statuses: [404],
    sentence: 'there is no such object',
  },
  {
    failure: 'wrong-region',
    names:
      /^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/,
    statuses: [301, 307],
    sentence: 'the bucket is in another region or at another endpoint: correct AWS_REGION or the endpoint',
  },
  {
    // Before the 403s: Ceph's QuotaExceeded is one.
    failure: 'no-space',
    names: /^(XMinioStorageFull|InsufficientStorage|QuotaExceeded|XMinioAdminBucketQuotaExceeded)$/,
    statuses: [507],
    sentence: 'the store has no room left: free some or raise its quota',
  },
  {
    failure: 'denied',
    names: /^RequestTimeTooSkewed$/,
    statuses: [],
    sentence: "the store refuses because this machine's clock is wrong",
  },
  {
    failure: 'denied',
    names: /^(ExpiredToken|TokenRefreshRequired)$/,
    statuses: [],
    sentence: 'the credentials have expired: give new ones',
  },
  {
    failure: 'denied',
    names: /^(CredentialsProviderError|CredentialsError)$/,
    statuses: [],
    sentence: 'no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  },
  {
    failure: 'denied',
    names:
      /^(AccessDenied|AllAccessDisabled|InvalidAccessKeyId|SignatureDoesNotMatch|Forbidden|Unauthorized)$/,
    statuses: [401, 403],
    sentence: 'the store refuses these credentials: they need to put, get, list and delete below the prefix',
  },
  {
    failure: 'throttled',
    names:
      /^(SlowDown|Throttl|TooManyRequests|RequestLimitExceeded|BandwidthLimitExceeded|ServiceUnavailable)/,
    statuses: [429, 503],
    sentence: 'the store asks for fewer requests (SlowDown)',
  },
  {
    failure: 'unreachable',
    names: /^(ECONNRESET|EPIPE|ECONNABORTED)$/,
    statuses: [],
    sentence: 'the connection to the store broke off',
  },
  {
    failure: 'timed-out',
    names: /^(TimeoutError|RequestTimeout|ETIMEDOUT)$/,
    statuses: [408, 504],
    sentence: 'the store did not answer in time',
  },
  {
    failure: 'unreachable',
    names:
      /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|CERT_|ERR_TLS|DEPTH_ZERO|UNABLE_TO)/,
    statuses: [],
    sentence: 'the store cannot be reached: see to its endpoint and the network',
  },
];

/** A 404 to what names no object that could be missing. */
const NO_BUCKET: Pick<Kind, 'failure' | 'sentence'> = {
  failure: 'no-bucket',
  sentence:
    'there is no such bucket, or no S3 service at the endpoint: correct STORE_URL or AWS_ENDPOINT_URL_S3',
};

const FAILED: Pick<Kind, 'failure' | 'sentence'> = {
  failure: 'failed',
  sentence: 'the store answered with an error',
};

/** What is read of an error that the SDK throws, whatever its class. */
interface Told {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
  readonly $response?: { readonly statusCode?: unknown; readonly headers?: Readonly<Record<string, string>> };
}

/**
 * The StoreError for what the SDK threw while it did `what` (such as `put of a/b in s3://bucket/`).
 * `canBeMissing`: it was about an object that there may not be.
 */
export function s3StoreError(what: string, error: unknown, canBeMissing: boolean): StoreError {
  if (error instanceof StoreError) return error;
  const told: Told = typeof error === 'object' && error !== null ? error : {};
  const names = [told.code, told.name].filter((name): name is string => typeof name === 'string');
  const status = Number(told.$metadata?.httpStatusCode ?? told.$response?.statusCode);
  const found =
    KINDS.find((candidate) => names.some((name) => candidate.names.test(name))) ??
    KINDS.find((candidate) => candidate.statuses.includes(status)) ??
    FAILED;
  const kind = found.failure === 'not-found' && !canBeMissing ? NO_BUCKET : found;
  const region = told.$response?.headers?.['x-amz-bucket-region'];
  const details = [
    ...(kind.failure === 'wrong-region' && region !== undefined ? [`the bucket is in ${region}`] : []),
    ...new Set(names.filter((name) => name !== 'Error')),
    ...(Number.isNaN(status) ? [] : [`status ${status}`]),
    ...(kind === FAILED && typeof told.message === 'string' ? [told.message] : []),
  ];
  return new StoreError(kind.failure, `${what} failed: ${kind.sentence} (${details.join(', ')}).`, {
    cause: error,
  });
}
