/**
 * A store that tells the log when it is lost and when it is back: one line for each change, not one for each
 * try, whoever it was that tried. And whose clock's offset never goes down: every measurement of it is too small by
 * what the answer took, so the largest is the best; and what one process writes keeps its order (rule D-O6).
 */
import type { Log } from '../log.ts';
import { type Store, type StoredObject, StoreError, type StoreFailure } from './store.ts';

export class WatchedStore implements Store {
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

  put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#watch(this.#store.put(key, bytes, signal));
  }

  get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#watch(this.#store.get(key, signal));
  }

  list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]> {
    return this.#watch(this.#store.list(prefix, signal));
  }

  delete(key: string, signal?: AbortSignal): Promise<void> {
    return this.#watch(this.#store.delete(key, signal));
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
    if (this.#lost?.failure === error.failure) return;
    this.#lost = { failure: error.failure, sinceSeconds: this.#lost?.sinceSeconds ?? this.#nowSeconds() };
    this.#log.error(`The store is lost: ${error.message}`, { store: this.address, failure: error.failure });
  }
}
