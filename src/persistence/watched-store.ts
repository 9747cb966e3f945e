/**
 * A store that tells the log when it is lost and when it is back: one line for each change, not one for each
 * try, whoever it was that tried. And whose clock's offset never goes down: every measurement of it is too small by
 * what the answer took, so the largest is the best; and what one process writes keeps its order (rule D-O6). And that
 * counts what it is asked for, because that is what a store bills.
 */
import type { Log } from '../log.ts';
import type { StoreOperations } from '../stats/gauges.ts';
import { type Store, type StoredObject, StoreError, type StoreFailure } from './store.ts';

/** A store answers a listing in pages of so many, each a request of its own. */
const LIST_PAGE_KEYS = 1_000;

export class WatchedStore implements Store {
  readonly #operations = { puts: 0, gets: 0, lists: 0, deletes: 0, failures: 0, bytesPut: 0, bytesGot: 0 };
  readonly #store: Store;
  readonly #log: Log;
  readonly #nowSeconds: () => number;
  #offsetSeconds: number | undefined;
  #lost: { failure: StoreFailure; readonly sinceSeconds: number } | undefined;

  constructor(store: Store, options: { readonly log: Log; readonly nowSeconds: () => number }) {
    this.#store = store;
    this.#log = options.log;
    this.#nowSeconds = options.nowSeconds;
  }

  get address(): string {
    return this.#store.address;
  }

  get clockOffsetSeconds(): number {
    return this.#offsetSeconds ?? 0;
  }

  /** False until the store has answered for the first time. */
  get isClockKnown(): boolean {
    return this.#offsetSeconds !== undefined;
  }

  /** False from a call that failed until the next that did not. */
  get isReachable(): boolean {
    return this.#lost === undefined;
  }

  /** Since the start. */
  get operations(): StoreOperations {
    return this.#operations;
  }

  async put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    this.#operations.puts += 1;
    await this.#watch(this.#store.put(key, bytes, signal));
    this.#operations.bytesPut += bytes.length;
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    this.#operations.gets += 1;
    const bytes = await this.#watch(this.#store.get(key, signal));
    this.#operations.bytesGot += bytes.length;
    return bytes;
  }

  async list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]> {
    this.#operations.lists += 1;
    const objects = await this.#watch(this.#store.list(prefix, signal));
    this.#operations.lists += Math.max(0, Math.ceil(objects.length / LIST_PAGE_KEYS) - 1);
    return objects;
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    this.#operations.deletes += 1;
    await this.#watch(this.#store.delete(key, signal));
  }

  async #watch<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      this.#heard();
      return result;
    } catch (error) {
      if (error instanceof StoreError) this.#failed(error);
      throw error;
    }
  }

  #heard(): void {
    const { clockOffsetSeconds } = this.#store;
    this.#offsetSeconds = Math.max(this.#offsetSeconds ?? clockOffsetSeconds, clockOffsetSeconds);
    if (this.#lost === undefined) return;
    const { failure, sinceSeconds } = this.#lost;
    this.#lost = undefined;
    this.#log.info('The store is back.', {
      store: this.address,
      failure,
      lostForSeconds: this.#nowSeconds() - sinceSeconds,
    });
  }

  #failed(error: StoreError): void {
    if (error.failure === 'aborted') return; // the caller's wish says nothing of the store
    if (error.failure === 'not-found') {
      this.#heard();
      return;
    }
    this.#operations.failures += 1;
    if (this.#lost?.failure === error.failure) return;
    this.#lost = { failure: error.failure, sinceSeconds: this.#lost?.sinceSeconds ?? this.#nowSeconds() };
    this.#log.error(`The store is lost: ${error.message}`, { store: this.address, failure: error.failure });
  }
}
