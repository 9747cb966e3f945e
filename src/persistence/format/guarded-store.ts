/**
 * A store that takes nothing before it is known that STORE_KEY fits it (rule D-O5): something sealed was opened, or
 * nothing that is sealed is there. Else a tracker with a wrong key, or with none, would write what the others
 * cannot read, or would write openly what was to be sealed. Asks at the first put; whatever a reader opened before
 * answers without asking. A yes is for good: when a successor with another key begins to write, the last that this
 * process has heard must be stored all the same. Reads, listings and deletes are the store's own.
 */
import { ifThere, OBJECT_BYTES_MAX, type StoredObject, type TimedStore } from '../store/store.ts';
import { BlockTag, HeaderAt, isSealedHeader, type ObjectKind, readObjectHeader } from './object-format.ts';
import { PREFIXES } from './object-keys.ts';
import { ObjectReader } from './object-reader.ts';
import type { StoreKeys } from './store-keys.ts';

export class GuardedStore implements TimedStore {
  readonly #store: TimedStore;
  readonly #keys: StoreKeys;
  #mayWriteForGood = false;

  constructor(store: TimedStore, keys: StoreKeys) {
    this.#store = store;
    this.#keys = keys;
  }

  get address(): string {
    return this.#store.address;
  }

  get clockOffsetSeconds(): number {
    return this.#store.clockOffsetSeconds;
  }

  get isClockKnown(): boolean {
    return this.#store.isClockKnown;
  }

  /** Rejects with 'locked' while it is not known that the keys fit. */
  async put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (!(await this.#mayWrite(signal))) throw this.#keys.lockedError(this.address);
    await this.#store.put(key, bytes, signal);
  }

  get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#store.get(key, signal);
  }

  list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]> {
    return this.#store.list(prefix, signal);
  }

  delete(key: string, signal?: AbortSignal): Promise<void> {
    return this.#store.delete(key, signal);
  }

  async #mayWrite(signal: AbortSignal | undefined): Promise<boolean> {
    const keys = this.#keys;
    if (this.#mayWriteForGood || keys.hasOpened) return true;
    for (const prefix of PREFIXES) {
      await this.#look(await this.#store.list(prefix, signal), prefix, signal);
      if (keys.hasOpened) return true;
    }
    this.#mayWriteForGood = keys.locked.size === 0;
    return this.#mayWriteForGood;
  }

  /** Looks at the newest object that tells: from the first sealed one on, all that a stream gets are sealed. */
  async #look(
    listed: readonly StoredObject[],
    prefix: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { locked } = this.#keys;
    const present = new Set(listed.map(({ key }) => key));
    for (const key of locked) if (key.startsWith(prefix) && !present.has(key)) this.#keys.forgetLocked(key);
    if ([...locked].some((key) => key.startsWith(prefix))) return;
    for (const object of [...listed].sort(compareSmallAndNewestFirst)) {
      if (await this.#tells(object, signal)) return;
    }
  }

  /** Whether the object says of itself that it is plain, or sealed; what the keys do with it they remember. */
  async #tells({ key, sizeBytes }: StoredObject, signal: AbortSignal | undefined): Promise<boolean> {
    if (sizeBytes > OBJECT_BYTES_MAX) return false;
    const read = await ifThere(this.#store.get(key, signal));
    if (read === undefined) return false;
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
    const kind = bytes[HeaderAt.kind] as ObjectKind;
    if (readObjectHeader(bytes, kind) !== 'readable') return false;
    if (!isSealedHeader(bytes)) return true;
    const reader = new ObjectReader(bytes, { kind, objectKey: key, keys: this.#keys, tag: BlockTag.end });
    while (reader.next() !== undefined);
    return this.#keys.hasOpened || reader.state === 'locked';
  }
}

/** Manifests before the parts of snapshots, then by age. */
function compareSmallAndNewestFirst(a: StoredObject, b: StoredObject): number {
  const isManifest = ({ key }: StoredObject): number => (key.endsWith('/manifest') ? 1 : 0);
  return isManifest(b) - isManifest(a) || b.lastModifiedSeconds - a.lastModifiedSeconds;
}
