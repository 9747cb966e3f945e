/** Reads objects one after the other, while the next are on their way already. */
import { ifThere, type Store } from './store.ts';

export interface ReadObject {
  readonly key: string;
  /** undefined: it is not there, though a listing named it; most likely another tracker rotated it away. */
  readonly bytes: Uint8Array | undefined;
}

/** In the order of `keys`. Rejects with a StoreError when the store fails. */
export async function* readAhead(
  store: Pick<Store, 'get'>,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ReadObject> {
  for await (const [key, bytes] of inTurn(keys, (key) => ifThere(store.get(key, signal)))) {
    yield { key, bytes };
  }
}

/**
 * Each of `items` with what `read` makes of it, in their order; up to `aheadMax` more are read while one is worked on.
 * Rejects as the first of these reads does.
 */
export async function* inTurn<Item, Read>(
  items: readonly Item[],
  read: (item: Item) => Promise<Read>,
  aheadMax = 1,
): AsyncGenerator<readonly [Item, Read]> {
  const ahead: Promise<Read>[] = [];
  let next = 0;
  const readOn = (): void => {
    while (ahead.length < aheadMax && next < items.length) {
      const reading = read(items[next++]!);
      reading.catch(() => {}); // it is awaited in its turn, or an earlier one has failed
      ahead.push(reading);
    }
  };
  for (const item of items) {
    readOn();
    const done = await ahead.shift()!;
    readOn();
    yield [item, done];
  }
}
