/**
 * Copies the access log from one store to another, object by object under the same keys: each is written once by one
 * process (rule D-O1), so the copies mean what the originals mean, beside whatever the other store holds. Where the
 * other store has other keys they are sealed anew, and opened where it has none (rule D-O5).
 */
import { INFO_HASH_BYTES } from '../../protocol/info-hash.ts';
import { nextTurn } from '../../slices.ts';
import { AccessObjectReader, AccessObjectWriter } from '../format/access-object.ts';
import { ACCESS_PREFIX, bootOfAccessKey } from '../format/object-keys.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import { readAhead } from '../store/read-ahead.ts';
import type { Store } from '../store/store.ts';

export interface KeyedStore {
  readonly store: Store;
  readonly keys: StoreKeys;
}

/** A fold that deletes what it has read makes the listing stale: list again, until nothing was missing. */
const LISTINGS_MAX = 3;

/**
 * How many objects `to` lacked. Rejects with a StoreError when either store fails, and with 'locked' when no key opens
 * an object.
 */
export async function copyAccessObjects(
  from: KeyedStore,
  to: KeyedStore,
  signal?: AbortSignal,
): Promise<number> {
  const there = new Set((await to.store.list(ACCESS_PREFIX, signal)).map(({ key }) => key));
  let copied = 0;
  for (let listings = 0; listings < LISTINGS_MAX; listings++) {
    const listed = await from.store.list(ACCESS_PREFIX, signal);
    const keys = listed
      .map(({ key }) => key)
      .filter((key) => bootOfAccessKey(key) !== undefined && !there.has(key));
    let missing = 0;
    for await (const { key, bytes } of readAhead(from.store, keys, signal)) {
      if (bytes === undefined) {
        missing += 1;
        continue;
      }
      await to.store.put(key, sealedFor(to.keys, key, bytes, from.keys), signal);
      there.add(key);
      copied += 1;
      await nextTurn();
    }
    if (missing === 0) break;
  }
  return copied;
}

/** The object as the other store would have it; one that is damaged or of a later version as it is. */
function sealedFor(keys: StoreKeys, objectKey: string, bytes: Uint8Array, keysThere: StoreKeys): Uint8Array {
  const reader = new AccessObjectReader(objectKey, bytes, keysThere);
  const writer = new AccessObjectWriter(objectKey, keys);
  for (let section = reader.next(); section !== undefined; section = reader.next()) {
    for (let at = section.at; at < section.at + section.count * INFO_HASH_BYTES; at += INFO_HASH_BYTES) {
      writer.add(section.list, { ...section, infoHash: section.raw.subarray(at, at + INFO_HASH_BYTES) });
    }
  }
  if (reader.state === 'locked') throw keysThere.lockedError(objectKey);
  if (reader.state !== 'whole') return bytes;
  return keys.count === 0 && keysThere.count === 0 ? bytes : writer.finish();
}
