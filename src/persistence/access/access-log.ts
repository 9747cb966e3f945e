/**
 * The bans and allowed hashes of the store (rules D-B1 to D-B3, D-R1): reads them at start, writes each change
 * before it is acknowledged, and folds the objects into one when there are many. What denies service is in force
 * at once and is written until it is stored; what gives service back waits for the store.
 */
import { type Access, type ListName, VARIABLE_OF } from '../../access/access.ts';
import { Applied } from '../../access/hash-list.ts';
import type { Log } from '../../log.ts';
import { INFO_HASH_BYTES } from '../../protocol/info-hash.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import { AccessObjectWriter } from '../format/access-object.ts';
import { accessKey, assertBootId } from '../format/object-keys.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import { NewerObjects } from '../listing/newer-objects.ts';
import { type Store, StoreError } from '../store/store.ts';
import { AccessFold } from './access-fold.ts';
import { AccessLoader } from './access-loader.ts';
import { ChangeWriter } from './change-writer.ts';

/** One change is one object; more hashes than this are several changes. */
export const CHANGE_HASHES_MAX = 400_000;
/** Changes that wait for the store may take up so much memory. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
const HASHES_PER_STEP = 256;

export interface AccessLogOptions {
  readonly store: Store;
  readonly access: Access;
  /** Of this process: see Saver. */
  readonly boot: string;
  /** Shared with the Restorer. */
  readonly newer?: NewerObjects;
  readonly keys: StoreKeys;
  /** A hash is served no more: its swarm goes. */
  readonly dropSwarm: (infoHash: Uint8Array) => void;
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
  readonly changeMsMax?: number;
  readonly retryMs?: number;
  readonly foldObjectsMin?: number;
  readonly foldBytesMax?: number;
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

/** A change with its time and its bytes, and the room that it will need in its list. */
interface PreparedChange extends AccessChange {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly atSeconds: number;
  readonly room: number;
}

export class AccessLog {
  readonly #options: AccessLogOptions & { readonly newer: NewerObjects };
  readonly #loader: AccessLoader;
  readonly #writer: ChangeWriter;
  readonly #closing = new AbortController();
  #sequence = 0;
  /** Hashes that changes on their way will add to each list. */
  readonly #roomTaken: Record<ListName, number> = { bans: 0, allowed: 0 };
  #isFolding = false;
  #hasFoldFailed = false;
  /** Changes get their times one after the other. */
  #preparing: Promise<unknown> = Promise.resolve();

  constructor(options: AccessLogOptions) {
    assertBootId(options.boot);
    this.#options = { ...options, newer: options.newer ?? new NewerObjects() };
    this.#loader = new AccessLoader({ ...this.#options, onLoaded: () => this.#foldIfDue() });
    this.#writer = new ChangeWriter(options);
  }

  /** Resolves when the lists hold what the store has. */
  get whenLoaded(): Promise<void> {
    return this.#loader.whenLoaded;
  }

  /** Changes that are in force but wait for the store. */
  get waiting(): number {
    return this.#writer.waiting;
  }

  /**
   * Reads the lists. Resolves when that is done, or as soon as the signal fires: then false, and the reading goes
   * on in the background until it succeeds.
   */
  load(signal: AbortSignal): Promise<boolean> {
    return this.#loader.start(signal, this.#closing.signal);
  }

  /** Reads what other trackers have changed since. Rejects with a StoreError. */
  async refresh(signal: AbortSignal): Promise<void> {
    if (!this.#options.access.isLoaded) return; // the loading that goes on will see it
    await this.#loader.readNew(signal);
    this.#foldIfDue();
  }

  /** Makes a change; never rejects for what the store does. */
  async change(change: AccessChange): Promise<ChangeOutcome> {
    const problem = this.#problemOf(change);
    if (problem !== undefined) return problem;
    const prepared = this.#preparing.then(() => this.#prepare(change));
    this.#preparing = prepared.catch(() => {});
    const ready = await prepared;
    if (ready === undefined) return { kind: 'full' };
    return isDenying(ready) ? this.#storeAtLast(ready) : this.#storeOrGiveUp(ready);
  }

  /** Gives changes that wait until the signal fires to be stored. Nothing may be changed after this. */
  async close(signal: AbortSignal): Promise<void> {
    this.#closing.abort();
    await this.#writer.close(signal);
  }

  #problemOf({ list, isListed, hashes }: AccessChange): ChangeOutcome | undefined {
    const { access } = this.#options;
    if (hashes.length > CHANGE_HASHES_MAX) return { kind: 'too-many', hashesMax: CHANGE_HASHES_MAX };
    if (this.#writer.waitingBytes + hashes.length * INFO_HASH_BYTES > WAITING_BYTES_MAX)
      return { kind: 'not-stored' };
    const infoHash = isListed ? undefined : hashes.find((hash) => access.isByEnvironment(list, hash));
    if (infoHash === undefined) return undefined;
    return {
      kind: 'by-environment',
      infoHash,
      variable: VARIABLE_OF[list],
    };
  }

  /** Gives the change its time and its bytes, and puts it in force when it denies service. undefined: there is no room. */
  async #prepare(change: AccessChange): Promise<PreparedChange | undefined> {
    const { access, store, nowSeconds } = this.#options;
    const list = access.list(change.list);
    let atSeconds = nowSeconds() + store.clockOffsetSeconds;
    let room = 0;
    await this.#forEach(change.hashes, (infoHash) => {
      const newestSeconds = list.newestSeconds(infoHash);
      if (newestSeconds === 0) room += 1;
      atSeconds = Math.max(atSeconds, newestSeconds + 1);
    });
    if (!list.hasRoomFor(this.#roomTaken[change.list] + room)) return undefined;
    this.#roomTaken[change.list] += room;
    if (isDenying(change)) await this.#enforce({ ...change, atSeconds, room });
    const { isListed, reason } = change;
    const key = this.#newObjectKey();
    const writer = new AccessObjectWriter(key, this.#options.keys);
    await this.#forEach(change.hashes, (infoHash) =>
      writer.add(change.list, { infoHash, isListed, atSeconds, reason }),
    );
    return { ...change, key, atSeconds, bytes: writer.finish(), room };
  }

  #newObjectKey(): string {
    this.#sequence += 1;
    return accessKey(this.#options.boot, this.#sequence);
  }

  /** What is in force already is stored, however long it takes. */
  async #storeAtLast(change: PreparedChange): Promise<ChangeOutcome> {
    const isStored = await this.#writer.storeAtLast(change, () => this.#hasStored(change));
    return { kind: isStored ? 'stored' : 'enforced', atSeconds: change.atSeconds };
  }

  /** What gives service back is stored and then put in force, or neither. */
  async #storeOrGiveUp(change: PreparedChange): Promise<ChangeOutcome> {
    const isStored = await this.#writer.storeOrGiveUp(change, async () => {
      await this.#enforce(change);
      this.#hasStored(change);
    });
    if (isStored) return { kind: 'stored', atSeconds: change.atSeconds };
    this.#roomTaken[change.list] -= change.room;
    return { kind: 'not-stored' };
  }

  /** Only now that all of a change is in the lists may its object go into a fold. */
  #hasStored({ key }: PreparedChange): void {
    this.#loader.wrote(key);
    this.#foldIfDue();
  }

  async #enforce(
    change: AccessChange & { readonly atSeconds: number; readonly room: number },
  ): Promise<void> {
    const { access, dropSwarm, log } = this.#options;
    const list = access.list(change.list);
    const number = list.addChange(change.atSeconds, change.reason);
    let leftOut = 0;
    await this.#forEach(change.hashes, (infoHash) => {
      if (list.apply(infoHash, change.isListed, number) === Applied.full) leftOut += 1;
      if (!access.isServed(infoHash)) dropSwarm(infoHash);
    });
    this.#roomTaken[change.list] -= change.room;
    if (leftOut === 0) return;
    // Its room was kept free from other changes, but what is read from the store meanwhile asks for none.
    log.error('The list is full: a change is NOT in force for some of its hashes.', {
      list: change.list,
      hashes: leftOut,
    });
  }

  #foldIfDue(): void {
    if (this.#isFolding || this.#closing.signal.aborted || !this.#loader.isFoldDue) return;
    this.#isFolding = true;
    const fold = new AccessFold({
      ...this.#options,
      loader: this.#loader,
      newObjectKey: () => this.#newObjectKey(),
      put: (objectKey, bytes) => this.#putFold(objectKey, bytes),
    });
    fold
      .run(this.#closing.signal)
      .then(() => {
        this.#hasFoldFailed = false;
      })
      .catch((error: unknown) => {
        if (this.#closing.signal.aborted) return;
        if (!(error instanceof StoreError)) throw error;
        if (this.#hasFoldFailed) return;
        this.#hasFoldFailed = true;
        this.#options.log.warn(
          `The access log could not be folded; each further change tries again: ${error.message}`,
          { failure: error.failure },
        );
      })
      .finally(() => {
        this.#isFolding = false;
      });
  }

  /** Puts one object of a fold, beside the changes: a fold holds none of them up. */
  async #putFold(key: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.#options.store.put(key, bytes, this.#closing.signal);
    } catch (error) {
      // Once the process ends it may as well stay: what it holds was true.
      if (error instanceof StoreError && !this.#closing.signal.aborted)
        this.#writer.withdraw(key, error.failure);
      throw error;
    }
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
