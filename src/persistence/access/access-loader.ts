/**
 * Reads the objects of the access log into the lists, and knows which it has read: those and only those may be
 * deleted once they are folded (rules D-B2, D-R1). Goes on trying in the background, loudly, when the store fails.
 */
import type { Access } from '../../access/access.ts';
import { Applied } from '../../access/hash-list.ts';
import type { Log } from '../../log.ts';
import { INFO_HASH_BYTES } from '../../protocol/info-hash.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import { whenAborted } from '../../time-limit.ts';
import { AccessObjectReader, type AccessSection } from '../format/access-object.ts';
import { ACCESS_PREFIX, bootOfAccessKey } from '../format/object-keys.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import { ListedObjects } from '../listing/listed-objects.ts';
import type { NewerObjects } from '../listing/newer-objects.ts';
import { inTurn } from '../store/read-ahead.ts';
import { pauseMs, RetryPause } from '../store/retry-pause.ts';
import { ifThere, type Store, type StoredObject, StoreError, type StoreFailure } from '../store/store.ts';

const READS_AHEAD = 8;
const FOLD_OBJECTS_MIN = 101;
const HASHES_PER_STEP = 256;

export interface AccessLoaderOptions {
  readonly store: Store;
  readonly access: Access;
  /** Of this process: what it wrote itself is in the lists already, or must not be. */
  readonly boot: string;
  readonly newer: NewerObjects;
  readonly keys: StoreKeys;
  readonly dropSwarm: (infoHash: Uint8Array) => void;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
  readonly onLoaded: () => void;
  readonly retryMs?: number;
  readonly foldObjectsMin?: number;
}

export class AccessLoader {
  readonly #options: AccessLoaderOptions;
  /** Objects in the store whose changes are all in the lists. */
  readonly #read = new Set<string>();
  /** Damaged ones, and those of later versions: known, but never to be deleted. */
  readonly #untouchable = new Set<string>();
  /** Those that no key opens: without them the lists are not loaded. */
  readonly #locked = new Set<string>();
  /** Those that are stored otherwise than this process would: with an older key, or plain though there is one. */
  readonly #sealedOtherwise = new Set<string>();
  readonly #objects: ListedObjects;
  #hashesLeftOut = 0;
  #loading: Promise<void> | undefined;
  #onLoaded: () => void = () => {};
  readonly whenLoaded: Promise<void>;

  constructor(options: AccessLoaderOptions) {
    this.#options = options;
    this.#objects = new ListedObjects(options.store);
    this.whenLoaded = new Promise((resolve) => {
      this.#onLoaded = resolve;
    });
  }

  /** What may be deleted once it is folded. */
  get read(): readonly string[] {
    return [...this.#read];
  }

  get isFoldDue(): boolean {
    const { access, newer, foldObjectsMin = FOLD_OBJECTS_MIN } = this.#options;
    if (!access.isLoaded || newer.hasAny) return false;
    return this.#read.size >= foldObjectsMin || this.#sealedOtherwise.size > 0;
  }

  /** Whether there are objects that stay whatever is folded: a removal of what they put on a list must stay too. */
  get hasUntouchable(): boolean {
    return this.#untouchable.size > 0;
  }

  /** This process put an object whose changes are in the lists. */
  wrote(key: string): void {
    this.#read.add(key);
  }

  deleted(key: string): void {
    this.#read.delete(key);
    this.#sealedOtherwise.delete(key);
  }

  /** True when loaded; false when `signal` fired before. Goes on in the background until `closing` fires. */
  async start(signal: AbortSignal, closing: AbortSignal): Promise<boolean> {
    const { access, log, store } = this.#options;
    this.#loading ??= this.#load(closing);
    await Promise.race([this.#loading, whenAborted(signal)]);
    if (!access.isLoaded && !closing.aborted) {
      log.error('The access lists could not be read yet: bans from the store are NOT in force. Trying on.', {
        store: store.address,
        mode: access.mode,
      });
    }
    return access.isLoaded;
  }

  /**
   * Reads what others wrote and it has not read yet. Rejects with a StoreError; with 'locked', when all that can
   * be opened is read.
   */
  async readNew(signal: AbortSignal): Promise<void> {
    const { store, retryMs, log } = this.#options;
    const pause = new RetryPause(retryMs);
    for (;;) {
      const listed = await store.list(ACCESS_PREFIX, signal);
      const unread = listed.filter(({ key }) => this.#isUnread(key));
      let missing = 0;
      const reading = inTurn(unread, (object) => this.#get(object, signal), READS_AHEAD);
      for await (const [{ key }, bytes] of reading) {
        if (bytes !== undefined) await this.#apply(key, bytes, signal);
        else if (this.#isUnread(key)) missing += 1;
      }
      const locked = listed.find(({ key }) => this.#locked.has(key));
      if (missing === 0 && locked !== undefined) throw this.#options.keys.lockedError(locked.key);
      if (missing === 0) return;
      // Most likely another tracker folded them, and what it folded them into is in the next listing.
      log.info('Access changes are gone since they were listed; looking again.', { objects: missing });
      await pauseMs(pause.nextMs(), signal);
    }
  }

  #isUnread(key: string): boolean {
    const boot = bootOfAccessKey(key);
    if (boot === undefined || boot === this.#options.boot) return false;
    return !this.#read.has(key) && !this.#untouchable.has(key) && !this.#locked.has(key);
  }

  async #load(closing: AbortSignal): Promise<void> {
    const { access, log, retryMs, onLoaded } = this.#options;
    const pause = new RetryPause(retryMs);
    let failure: StoreFailure | undefined;
    while (!access.isLoaded && !closing.aborted) {
      try {
        await this.readNew(closing);
        access.isLoaded = true;
        await this.#dropBanned(closing);
        log.info('The access lists are read.', {
          bans: access.bans.size,
          allowed: access.allowed.size,
          objects: this.#read.size,
          damaged: this.#untouchable.size,
        });
        this.#onLoaded();
        onLoaded();
      } catch (error) {
        if (closing.aborted) return;
        if (!(error instanceof StoreError)) throw error;
        if (error.failure !== failure) {
          failure = error.failure;
          log.error(`The access lists cannot be read, and will be tried until they can: ${error.message}`, {
            failure,
          });
        }
        await pauseMs(pause.nextMs(), closing);
      }
    }
  }

  /** undefined: it is not there, or not to be read. */
  async #get(object: StoredObject, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const read = await ifThere(this.#objects.get(object, signal));
    if (read?.what !== undefined) this.#leave(object.key, read.what);
    return read?.bytes;
  }

  async #apply(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const { monotonicMs, log, newer, keys } = this.#options;
    const reader = new AccessObjectReader(key, bytes, keys);
    const step = (): boolean => {
      const section = reader.next();
      if (section !== undefined) this.#applySection(section);
      return section !== undefined;
    };
    await runInSlices(step, { monotonicMs, signal });
    if (reader.state === 'whole') {
      this.#read.add(key);
      // Asked once, at the start: two trackers with their keys in another order must not fold for ever.
      if (!this.#options.access.isLoaded && !reader.isSealedAsNew) this.#sealedOtherwise.add(key);
    } else if (reader.state === 'locked') {
      this.#locked.add(key);
      if (this.#options.access.isLoaded)
        log.error(`Access changes are NOT in force: ${keys.lockedError(key).message}`);
    } else if (reader.state === 'newer') {
      this.#untouchable.add(key);
      newer.add(key);
      log.warn('Access changes were written by a later version of the tracker; they are left as they are.', {
        key,
      });
    } else {
      this.#leave(key, reader.damage);
    }
  }

  #leave(key: string, what: string | undefined): void {
    this.#untouchable.add(key);
    this.#options.log.error(
      'Access changes are damaged; what is valid of them is in force, and they are left as they are.',
      { key, what },
    );
  }

  #applySection({ list: name, isListed, atSeconds, reason, raw, at, count }: AccessSection): void {
    const { access, dropSwarm } = this.#options;
    const list = access.list(name);
    const change = list.addChange(atSeconds, reason);
    for (let index = 0; index < count; index++) {
      const from = at + index * INFO_HASH_BYTES;
      const infoHash = raw.subarray(from, from + INFO_HASH_BYTES);
      if (list.apply(infoHash, isListed, change) === Applied.full) this.#leaveOut();
      // Before all is read, what one object says may be taken back by another.
      if (access.isLoaded && !access.isServed(infoHash)) dropSwarm(infoHash);
    }
  }

  #leaveOut(): void {
    this.#hashesLeftOut += 1;
    if (this.#hashesLeftOut > 1) return;
    this.#options.log.error(
      'The store holds more hashes than the access lists can: some bans are NOT in force.',
    );
  }

  /** Swarms of banned hashes may have come while the lists were not read. */
  async #dropBanned(signal: AbortSignal): Promise<void> {
    const { access, dropSwarm, monotonicMs } = this.#options;
    let cursor: number | undefined = 0;
    const step = (): boolean => {
      const page = access.bans.page(cursor ?? 0, HASHES_PER_STEP);
      for (const { infoHash } of page.hashes) dropSwarm(infoHash);
      cursor = page.next;
      return cursor !== undefined;
    };
    await runInSlices(step, { monotonicMs, signal });
  }
}
