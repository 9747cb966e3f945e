/**
 * Copies the access log from one store to another, object by object under the same keys: each is written once by one
 * process (rule D-O1), so the copies mean what the originals mean, beside whatever the other store holds.
 */
import { ACCESS_PREFIX, bootOfAccessKey } from './object-keys.ts';
import { readAhead } from './read-ahead.ts';
import type { Store } from './store.ts';

/** A fold that deletes what it has read makes the listing stale: list again, until nothing was missing. */
const LISTINGS_MAX = 3;

/** How many objects `to` lacked. Rejects with a StoreError when either store fails. */
export async function copyAccessObjects(
  from: Pick<Store, 'get' | 'list'>,
  to: Pick<Store, 'put' | 'list'>,
  signal?: AbortSignal,
): Promise<number> {
  const there = new Set((await to.list(ACCESS_PREFIX, signal)).map(({ key }) => key));
  let copied = 0;
  for (let listings = 0; listings < LISTINGS_MAX; listings++) {
    const listed = await from.list(ACCESS_PREFIX, signal);
    const keys = listed
      .map(({ key }) => key)
      .filter((key) => bootOfAccessKey(key) !== undefined && !there.has(key));
    let missing = 0;
    for await (const { key, bytes } of readAhead(from, keys, signal)) {
      if (bytes === undefined) {
        missing += 1;
        continue;
      }
      await to.put(key, bytes, signal);
      there.add(key);
      copied += 1;
    }
    if (missing === 0) break;
  }
  return copied;
}
