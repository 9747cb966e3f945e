/**
 * Reads objects one after the other, asking for the next while the one before is worked on. What is not there, though
 * a listing named it, comes as undefined: most likely another tracker rotated it away.
 */
import { type Store, StoreError } from './store.ts';

export interface ReadObject {
  readonly key: string;
  readonly bytes: Uint8Array | undefined;
}

/** In the order of `keys`. Rejects with a StoreError when the store fails. */
export async function* readAhead(
  store: Pick<Store, 'get'>,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ReadObject> {
  const read = (key: string | undefined): Promise<Uint8Array | undefined> | undefined => {
    const bytes = key === undefined ? undefined : getIfThere(store, key, signal);
    bytes?.catch(() => {}); // it is awaited in the next round, or this round ends in a failure of its own
    return bytes;
  };
  let ahead = read(keys[0]);
  for (const [index, key] of keys.entries()) {
    const bytes = await ahead!;
    ahead = read(keys[index + 1]);
    yield { key, bytes };
  }
}

export async function getIfThere(
  store: Pick<Store, 'get'>,
  key: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  try {
    return await store.get(key, signal);
  } catch (error) {
    if (error instanceof StoreError && error.failure === 'not-found') return undefined;
    throw error;
  }
}
