/** Manifests by their snapshots. They don't change, so each is read once; those no longer listed are forgotten. */
import { decodeManifest, type Manifest, type ManifestState } from '../format/manifest.ts';
import { manifestKey } from '../format/object-keys.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import type { Store } from '../store/store.ts';
import type { Vector } from './segment-listing.ts';
import { isComplete, type ListedSnapshot } from './snapshot-listing.ts';

export class ManifestCache {
  readonly #store: Store;
  readonly #keys: StoreKeys;
  readonly #manifests = new Map<string, ManifestState>();

  constructor(store: Store, keys: StoreKeys) {
    this.#store = store;
    this.#keys = keys;
  }

  /** Of a snapshot that has a manifest. Rejects with a StoreError. */
  async get(snapshot: ListedSnapshot, signal?: AbortSignal): Promise<ManifestState> {
    const known = this.#manifests.get(snapshot.prefix);
    if (known !== undefined) return known;
    const key = manifestKey(snapshot);
    const manifest = decodeManifest(key, await this.#store.get(key, signal), this.#keys);
    this.#manifests.set(snapshot.prefix, manifest);
    return manifest;
  }

  /** The manifest if the snapshot is whole, as far as a listing and its manifest tell (rule D-N3). */
  async whole(snapshot: ListedSnapshot, signal?: AbortSignal): Promise<Manifest | undefined> {
    if (snapshot.manifest === undefined || snapshot.isOversized) return undefined;
    const manifest = await this.get(snapshot, signal);
    return typeof manifest === 'object' && isComplete(snapshot, manifest) ? manifest : undefined;
  }

  /** Forgets all that are not in this listing. */
  keepOnly(listed: readonly ListedSnapshot[]): void {
    const prefixes = new Set(listed.map((snapshot) => snapshot.prefix));
    for (const prefix of this.#manifests.keys()) if (!prefixes.has(prefix)) this.#manifests.delete(prefix);
  }
}

/** The segments that a snapshot holds: its own boot's up to its cut, and those it had merged. */
export function vectorOf({ boot, cutSequence, vector }: Manifest): Vector {
  return new Map([...Object.entries(vector), [boot, cutSequence]]);
}
