/**
 * Reads objects that a listing named, and knows when to give one up. One that is larger than any that is written is not
 * read. One that is not there has most likely just been deleted by another tracker, and the next listing will not name
 * it; what several listings named, and what never was there, will not come.
 */
import { OBJECT_BYTES_MAX, type Store, type StoredObject, StoreError } from '../store/store.ts';

const LISTINGS_MAX = 3;

/** What was read; or what is wrong with the object, as a sentence's end. */
export type ListedRead =
  | { readonly bytes: Uint8Array; readonly what?: undefined }
  | { readonly bytes?: undefined; readonly what: string };

export class ListedObjects {
  readonly #store: Pick<Store, 'get'>;
  /** By key, how many listings named it and it was not there. */
  readonly #missing = new Map<string, number>();

  constructor(store: Pick<Store, 'get'>) {
    this.#store = store;
  }

  /** Rejects with a StoreError; with 'not-found' so that the store is listed again. */
  async get(
    { key, sizeBytes }: Pick<StoredObject, 'key' | 'sizeBytes'>,
    signal?: AbortSignal,
  ): Promise<ListedRead> {
    if (sizeBytes > OBJECT_BYTES_MAX) {
      return { what: `it has ${sizeBytes} bytes, more than any object that is written` };
    }
    try {
      return { bytes: await this.#store.get(key, signal) };
    } catch (error) {
      if (!(error instanceof StoreError) || error.failure !== 'not-found') throw error;
      const listings = (this.#missing.get(key) ?? 0) + 1;
      this.#missing.set(key, listings);
      if (listings < LISTINGS_MAX) throw error;
      this.#missing.delete(key);
      return { what: 'it is listed and not there' };
    }
  }
}
