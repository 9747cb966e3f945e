/** A ClientError as the dictionary that clients read (BEP 3; `retry in`: BEP 31). */
import bencode from 'bencode';
import type { ClientError } from './client-error.ts';

export function encodeFailure(error: ClientError): Uint8Array {
  const { failureReason, retry } = error;
  if (retry === undefined) return bencode.encode({ 'failure reason': failureReason });
  return bencode.encode({
    'failure reason': failureReason,
    interval: retry.intervalSeconds,
    'min interval': retry.minIntervalSeconds,
    'retry in': retry.retryInMinutes,
  });
}
