/**
 * A store that tells the log when it is lost and when it is back: one line for each change, not one for each
 * try, whoever it was that tried. Reading and writing are lost and come back apart, for a full store, or one whose
 * credentials only read, goes on being listed between two puts that fail. And whose clock's offset never goes down:
 * every measurement of it is too small by what the answer took, so the largest is the best; and what one process
 * writes keeps its order (rule D-O6). And that counts what it is asked for, because that is what a store bills, and
 * how long the answers took.
 */
import type { Log } from '../../log.ts';
import type { MonotonicMs } from '../../slices.ts';
import type { StoreLatency, StoreOperations } from '../../stats/gauges.ts';
import { Histogram, STORE_BOUNDS_SECONDS } from '../../stats/histogram.ts';
import { LIST_PAGE_KEYS, type Store, type StoredObject, StoreError } from './store.ts';

export interface WatchedStoreOptions {
  readonly log: Log;
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
}

type Way = 'reading' | 'writing';

interface Loss {
  readonly error: StoreError;
  readonly sinceSeconds: number;
}

export class WatchedStore implements Store {
  readonly #operations = { puts: 0, gets: 0, lists: 0, deletes: 0, failures: 0, bytesPut: 0, bytesGot: 0 };
  /** Since the start. */
  readonly latency: StoreLatency = {
    put: new Histogram(STORE_BOUNDS_SECONDS),
    get: new Histogram(STORE_BOUNDS_SECONDS),
    list: new Histogram(STORE_BOUNDS_SECONDS),
    delete: new Histogram(STORE_BOUNDS_SECONDS),
  };
  readonly #store: Store;
  readonly #log: Log;
  readonly #nowSeconds: () => number;
  readonly #monotonicMs: MonotonicMs;
  #offsetSeconds: number | undefined;
  readonly #lost = new Map<Way, Loss>();

  constructor(store: Store, options: WatchedStoreOptions) {
    this.#store = store;
    this.#log = options.log;
    this.#nowSeconds = options.nowSeconds;
    this.#monotonicMs = options.monotonicMs;
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

  /** False from a call that failed until the next of its kind that did not. */
  get isReachable(): boolean {
    return this.#lost.size === 0;
  }

  /** What went wrong, as long as the store is lost. */
  get failure(): StoreError | undefined {
    return (this.#lost.get('writing') ?? this.#lost.get('reading'))?.error;
  }

  /** Since the start. */
  get operations(): StoreOperations {
    return this.#operations;
  }

  async put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    this.#operations.puts += 1;
    await this.#watch('writing', this.#timed('put', this.#store.put(key, bytes, signal)));
    this.#operations.bytesPut += bytes.length;
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    this.#operations.gets += 1;
    const bytes = await this.#watch('reading', this.#timed('get', this.#store.get(key, signal)));
    this.#operations.bytesGot += bytes.length;
    return bytes;
  }

  async list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]> {
    this.#operations.lists += 1;
    const objects = await this.#watch('reading', this.#timed('list', this.#store.list(prefix, signal)));
    this.#operations.lists += Math.max(0, Math.ceil(objects.length / LIST_PAGE_KEYS) - 1);
    return objects;
  }

  /** A failure is no loss of the store: what stays a while longer does no harm, and who deletes says so. */
  async delete(key: string, signal?: AbortSignal): Promise<void> {
    this.#operations.deletes += 1;
    await this.#timed('delete', this.#store.delete(key, signal));
  }

  async #timed<T>(kind: keyof StoreLatency, work: Promise<T>): Promise<T> {
    const startMs = this.#monotonicMs();
    const record = (): void => this.latency[kind].record((this.#monotonicMs() - startMs) / 1_000);
    try {
      const result = await work;
      record();
      return result;
    } catch (error) {
      // When somebody gave it up says nothing of the store.
      if (!(error instanceof StoreError && error.failure === 'aborted')) record();
      throw error;
    }
  }

  async #watch<T>(way: Way, work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      this.#heard(way);
      return result;
    } catch (error) {
      if (error instanceof StoreError) this.#failed(way, error);
      throw error;
    }
  }

  #heard(way: Way): void {
    const { clockOffsetSeconds } = this.#store;
    this.#offsetSeconds = Math.max(this.#offsetSeconds ?? clockOffsetSeconds, clockOffsetSeconds);
    const loss = this.#lost.get(way);
    this.#lost.delete(way);
    if (loss === undefined || this.#lost.size > 0) return;
    this.#log.info('The store is back.', {
      store: this.address,
      failure: loss.error.failure,
      lostForSeconds: this.#nowSeconds() - loss.sinceSeconds,
    });
  }

  #failed(way: Way, error: StoreError): void {
    const { failure, message } = error;
    if (failure === 'aborted') return; // the caller's wish says nothing of the store
    if (failure === 'not-found') {
      this.#heard(way);
      return;
    }
    this.#operations.failures += 1;
    const known = [...this.#lost.values()];
    if (this.#lost.get(way)?.error.failure === failure) return;
    const sinceSeconds = known[0]?.sinceSeconds ?? this.#nowSeconds();
    this.#lost.set(way, { error, sinceSeconds });
    if (known.some((loss) => loss.error.failure === failure)) return;
    this.#log.error(`The store is lost: ${message}`, { store: this.address, failure });
  }
}
