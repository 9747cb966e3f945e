/**
 * What a client did wrong, or may not have: an answer to it, not an exception. Trackers answer such requests
 * with status 200 and a dictionary, because clients throw the body of any other status away.
 */

/** What a refused client is told about trying again. */
export interface Retry {
  /** `interval` and `min interval`, in seconds: what clients obey today. */
  readonly intervalSeconds: number;
  readonly minIntervalSeconds: number;
  /** `retry in` of BEP 31: minutes, or never. */
  readonly retryInMinutes: number | 'never';
}

export class ClientError {
  /** Shown to people as it is: ASCII, at most 100 bytes, nothing of the client's own words. */
  readonly failureReason: string;
  readonly retry: Retry | undefined;

  constructor(failureReason: string, retry?: Retry) {
    this.failureReason = failureReason;
    this.retry = retry;
  }
}

/** The reasons the parsers give. Each begins with the parameter's name and goes on with what is allowed. */
export const INVALID_INFO_HASH = new ClientError(
  'invalid info_hash: 20 bytes, percent-encoded, exactly once in an announce',
);
export const INVALID_PEER_ID = new ClientError('invalid peer_id: 20 bytes, percent-encoded');
export const INVALID_PORT = new ClientError('invalid port: 1 to 65535');
export const FULL_SCRAPE = new ClientError('full scrape not allowed: name the torrents with info_hash');
export const INTERNAL_ERROR = new ClientError('internal error');
