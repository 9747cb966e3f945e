/**
 * What everybody may know of a store that fails: the kind of failure as a sentence, without the store's address, the keys
 * of its objects or what its vendor says. That stands in the StoreError's message, for the log and the operator.
 */
import type { StoreError, StoreFailure } from './store.ts';

const SUMMARIES: Readonly<Record<StoreFailure, string>> = {
  'not-found': 'An object is not in the store, though it was listed.',
  denied: 'The store refuses: the credentials or permissions of the tracker do not allow what it asks.',
  'no-bucket': 'The bucket does not exist.',
  'wrong-region': 'The bucket is in another region or at another endpoint.',
  throttled: 'The store asks for fewer requests.',
  unreachable: 'The store cannot be reached.',
  'timed-out': 'The store did not answer in time.',
  'no-space': 'The store has no room left.',
  aborted: 'A call to the store was given up.',
  locked: 'The store is sealed with a key that is not in STORE_KEY, or STORE_KEY is not set.',
  failed: 'The store answered with an error.',
};

export function failureSummary({ failure }: Pick<StoreError, 'failure'>): string {
  return SUMMARIES[failure];
}
