/**
 * The bans and allowed hashes of the store (rules D-B1 to D-B3, D-R1): reads them at start, writes each change
 * before it is acknowledged, and folds the objects into one when there are many. What denies service is in force
 * at once and is written until it is stored; what gives service back waits for the store.
 */
import type { Access, ListName } from '../access/access.ts';
import type { Log } from '../log.ts';
import { type MonotonicMs, runInSlices } from '../slices.ts';
import { AccessFold } from './access-fold.ts';
import { AccessLoader } from './access-loader.ts';
import { AccessObjectWriter } from './access-object.ts';
import { accessKey, assertBootId } from './object-keys.ts';
import { type Store, StoreError } from './store.ts';
import { WriteQueue } from './write-queue.ts';

/** One change is one object; more hashes than this are several changes. */
export const CHANGE_HASHES_MAX = 400_000;
/** How long one try to store a change may take, and with it the answer. */
const CHANGE_MS_MAX = 10_000;
/** Changes that wait for the store may take up so much memory. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
const HASHES_PER_STEP = 256;
const INFO_HASH_BYTES = 20;

export interface AccessLogOptions {
  readonly store: Store;
  readonly access: Access;
  /** Of this process: see Saver. */
  readonly boot: string;
  /** A hash is served no more: its swarm goes. */
  readonly dropSwarm: (infoHash: Uint8Array) => void;
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
  readonly changeMsMax?: number;
  readonly retryMs?: number;
  readonly foldObjectsMin?: number;
}

export interface AccessChange {
  readonly list: ListName;
  readonly isListed: boolean;
  readonly hashes: readonly Uint8Array[];
  readonly reason: string;
}

export type ChangeOutcome =
  | { readonly kind: 'stored'; readonly atSeconds: number }
  /** In force, but not stored yet; it is tried until it is. */
  | { readonly kind: 'enforced'; readonly atSeconds: number }
  /** Neither in force nor stored, and not tried again. */
  | { readonly kind: 'not-stored' }
  | { readonly kind: 'too-many'; readonly hashesMax: number }
  /** The list can know no more hashes. */
  | { readonly kind: 'full' }
  /** The hash stands in a variable of the environment and only goes with it. */
  | { readonly kind: 'by-environment'; readonly infoHash: Uint8Array; readonly variable: string };

export class AccessLog {
  readonly #options: AccessLogOptions;
  readonly #loader: AccessLoader;
  readonly #queue: WriteQueue;
  readonly #closing = new AbortController();
  #sequence = 0;
  #waitingBytes = 0;
  #isFolding = false;
  /** Changes get their times one after the other. */
  #preparing: Promise<unknown> = Promise.resolve();

  constructor(options: AccessLogOptions) {
    assertBootId(options.boot);
    this.#options = options;
    this.#loader = new AccessLoader({ ...options, onLoaded: () => this.#foldIfDue() });
    this.#queue = new WriteQueue({
      tryMsMax: options.changeMsMax ?? CHANGE_MS_MAX,
      retryMs: options.retryMs,
    });
  }

  /** Resolves when the lists hold what the store has. */
  get whenLoaded(): Promise<void> {
    return this.#loader.whenLoaded;
  }

  /** Changes that are in force but wait for the store. */
  get waiting(): number {
    return this.#queue.waiting.length;
  }

  /**
   * Reads the lists. Resolves when that is done, or as soon as the signal fires: then false, and the reading goes
   * on in the background until it succeeds.
   */
  load(signal: AbortSignal): Promise<boolean> {
    return this.#loader.start(signal, this.#closing.signal);
  }

  /** Makes a change; never rejects for what the store does. */
  async change(change: AccessChange): Promise<ChangeOutcome> {
    const problem = this.#problemOf(change);
    if (problem !== undefined) return problem;
    const prepared = this.#preparing.then(() => this.#prepare(change));
    this.#preparing = prepared.catch(() => {});
    const { atSeconds, bytes } = await prepared;
    return this.#store(change, atSeconds, bytes);
  }

  /** Gives changes that wait until the signal fires to be stored. Nothing may be changed after this. */
  async close(signal: AbortSignal): Promise<void> {
    this.#closing.abort();
    await this.#queue.drain(signal);
    const waiting = this.#queue.waiting;
    if (waiting.length > 0) {
      this.#options.log.error('Changes of the access lists are lost: the store did not take them.', {
        changes: waiting.slice(0, 100),
      });
    }
  }

  #problemOf({ list, isListed, hashes }: AccessChange): ChangeOutcome | undefined {
    const { access } = this.#options;
    if (hashes.length > CHANGE_HASHES_MAX) return { kind: 'too-many', hashesMax: CHANGE_HASHES_MAX };
    if (!access.list(list).hasRoomFor(hashes.length)) return { kind: 'full' };
    if (this.#waitingBytes + hashes.length * INFO_HASH_BYTES > WAITING_BYTES_MAX)
      return { kind: 'not-stored' };
    const infoHash = isListed ? undefined : hashes.find((hash) => access.isByEnvironment(list, hash));
    if (infoHash === undefined) return undefined;
    return {
      kind: 'by-environment',
      infoHash,
      variable: list === 'bans' ? 'BANNED_HASHES' : 'ALLOWED_HASHES',
    };
  }

  /** Gives the change its time and its bytes, and puts it in force when it denies service. */
  async #prepare(change: AccessChange): Promise<{ atSeconds: number; bytes: Uint8Array }> {
    const { access, store, nowSeconds } = this.#options;
    const { hashes, isListed, reason } = change;
    const list = access.list(change.list);
    let atSeconds = nowSeconds() + store.clockOffsetSeconds;
    await this.#forEach(hashes, (infoHash) => {
      atSeconds = Math.max(atSeconds, list.newestSeconds(infoHash) + 1);
    });
    if (isDenying(change)) await this.#enforce(change, atSeconds);
    const writer = new AccessObjectWriter();
    await this.#forEach(hashes, (infoHash) =>
      writer.add(change.list, { infoHash, isListed, atSeconds, reason }),
    );
    return { atSeconds, bytes: writer.finish() };
  }

  #store(change: AccessChange, atSeconds: number, bytes: Uint8Array): Promise<ChangeOutcome> {
    const { store, boot, log } = this.#options;
    this.#sequence += 1;
    const key = accessKey(boot, this.#sequence);
    this.#waitingBytes += bytes.length;
    return new Promise((resolve, reject) => {
      let hasFailed = false;
      let isTried = false;
      this.#queue.push({
        what: key,
        run: async (signal) => {
          isTried = true;
          await store.put(key, bytes, signal);
          this.#waitingBytes -= bytes.length;
          this.#loader.wrote(key);
          if (hasFailed)
            log.info('A change of the access lists that waited for the store is stored now.', { key });
          try {
            if (!isDenying(change)) await this.#enforce(change, atSeconds);
          } catch (error) {
            reject(error);
          }
          resolve({ kind: 'stored', atSeconds });
          this.#foldIfDue();
        },
        failed: (error) => {
          if (!hasFailed) this.#warn(change, key, error);
          hasFailed = true;
          if (isDenying(change)) {
            resolve({ kind: 'enforced', atSeconds });
            return true;
          }
          this.#waitingBytes -= bytes.length;
          if (isTried) this.#withdraw(key);
          resolve({ kind: 'not-stored' });
          return false;
        },
      });
    });
  }

  /** A put that failed may have happened all the same; nobody was told that it did, so it must not count. */
  #withdraw(key: string): void {
    const { store } = this.#options;
    queueMicrotask(() =>
      this.#queue.push({
        what: `not ${key}`,
        run: (signal) => store.delete(key, signal),
        failed: () => true,
      }),
    );
  }

  #warn(change: AccessChange, key: string, error: StoreError): void {
    const fields = { key, list: change.list, hashes: change.hashes.length, failure: error.failure };
    if (isDenying(change)) {
      this.#options.log.error(
        'A change of the access lists is in force but not stored yet; it will be tried again.',
        fields,
      );
    } else {
      this.#options.log.error(
        'A change of the access lists was not made: the store did not take it.',
        fields,
      );
    }
  }

  async #enforce({ list: name, isListed, hashes, reason }: AccessChange, atSeconds: number): Promise<void> {
    const { access, dropSwarm } = this.#options;
    const list = access.list(name);
    const change = list.addChange(atSeconds, reason);
    await this.#forEach(hashes, (infoHash) => {
      list.apply(infoHash, isListed, change);
      if (!access.isServed(infoHash)) dropSwarm(infoHash);
    });
  }

  #foldIfDue(): void {
    if (this.#isFolding || this.#closing.signal.aborted || !this.#loader.isFoldDue) return;
    this.#isFolding = true;
    const fold = new AccessFold({
      ...this.#options,
      loader: this.#loader,
      put: (bytes) => this.#putFold(bytes),
    });
    fold
      .run(this.#closing.signal)
      .catch((error: unknown) => {
        if (!(error instanceof StoreError) && !this.#closing.signal.aborted) throw error;
        this.#options.log.debug('The access log could not be folded; the next change will try again.');
      })
      .finally(() => {
        this.#isFolding = false;
      });
  }

  /** Puts the fold when its turn has come; resolves with its key. */
  #putFold(bytes: Uint8Array): Promise<string> {
    this.#sequence += 1;
    const key = accessKey(this.#options.boot, this.#sequence);
    return new Promise((resolve, reject) => {
      this.#queue.push({
        what: `fold ${key}`,
        run: async (signal) => {
          await this.#options.store.put(key, bytes, signal);
          resolve(key);
        },
        failed: (error) => {
          reject(error);
          return false;
        },
      });
    });
  }

  async #forEach(hashes: readonly Uint8Array[], visit: (infoHash: Uint8Array) => void): Promise<void> {
    let at = 0;
    await runInSlices(
      () => {
        const end = Math.min(hashes.length, at + HASHES_PER_STEP);
        for (; at < end; at++) visit(hashes[at]!);
        return at < hashes.length;
      },
      { monotonicMs: this.#options.monotonicMs },
    );
  }
}

/** A ban, or the end of a permission. */
function isDenying({ list, isListed }: AccessChange): boolean {
  return (list === 'bans') === isListed;
}
