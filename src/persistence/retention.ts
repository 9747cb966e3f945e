/**
 * Keeps the newest whole snapshots and deletes the others (rules D-T1, D-T2). Deletes nothing that it does not
 * understand: damaged snapshots and those that no key opens stay, and once an object of a later version was met anywhere everything stays.
 * Leaves it to the caller to run only after a whole snapshot was saved and the restore had settled.
 */
import type { Log } from '../log.ts';
import { decodeManifest, type ManifestState } from './manifest.ts';
import type { NewerObjects } from './newer-objects.ts';
import { manifestKey } from './object-keys.ts';
import { isComplete, type ListedSnapshot } from './snapshot-listing.ts';
import type { Store } from './store.ts';
import type { StoreKeys } from './store-keys.ts';

/** Another boot's snapshot without a manifest may still be being written when it is younger than this. */
export const LEFTOVER_AGE_SECONDS_MIN = 2 * 3600;

export interface RetentionOptions {
  readonly store: Store;
  readonly boot: string;
  /** How many whole snapshots stay (SNAPSHOT_KEEP). */
  readonly keep: number;
  /** Folders of snapshots that a restore found damaged although their manifests are well. */
  readonly isDamaged: (prefix: string) => boolean;
  readonly newer: NewerObjects;
  readonly keys: StoreKeys;
  readonly nowSeconds: () => number;
  readonly log: Log;
}

export class Retention {
  readonly #options: RetentionOptions;
  /** Manifests don't change, so each is read once. */
  readonly #manifests = new Map<string, ManifestState>();

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** `listed` newest first, from a listing that succeeded. Rejects with a StoreError when the store fails. */
  async run(listed: readonly ListedSnapshot[], signal?: AbortSignal): Promise<void> {
    const { store, boot, keep, isDamaged, nowSeconds, newer } = this.#options;
    const whole: ListedSnapshot[] = [];
    const unfinished: ListedSnapshot[] = [];
    for (const snapshot of listed) {
      if (snapshot.isOversized || isDamaged(snapshot.prefix)) continue;
      if (snapshot.manifest === undefined) {
        unfinished.push(snapshot);
        continue;
      }
      const manifest = await this.#manifest(snapshot, signal);
      if (manifest === 'newer') this.#foundNewer(snapshot);
      else if (typeof manifest === 'object' && isComplete(snapshot, manifest)) whole.push(snapshot);
    }
    this.#forgetManifests(listed);
    if (newer.hasAny) return;
    for (const snapshot of whole.slice(keep)) await this.#delete(snapshot, signal);
    const oldSeconds = nowSeconds() + store.clockOffsetSeconds - LEFTOVER_AGE_SECONDS_MIN;
    for (const snapshot of unfinished) {
      if (snapshot.boot === boot || snapshot.lastModifiedSeconds < oldSeconds)
        await this.#delete(snapshot, signal);
    }
  }

  async #manifest(snapshot: ListedSnapshot, signal: AbortSignal | undefined): Promise<ManifestState> {
    const known = this.#manifests.get(snapshot.prefix);
    if (known !== undefined) return known;
    const key = manifestKey(snapshot);
    const { store, keys } = this.#options;
    const manifest = decodeManifest(key, await store.get(key, signal), keys);
    this.#manifests.set(snapshot.prefix, manifest);
    return manifest;
  }

  #forgetManifests(listed: readonly ListedSnapshot[]): void {
    const prefixes = new Set(listed.map((snapshot) => snapshot.prefix));
    for (const prefix of this.#manifests.keys()) if (!prefixes.has(prefix)) this.#manifests.delete(prefix);
  }

  /** The manifest first: what is half deleted is then no snapshot any more. */
  async #delete(snapshot: ListedSnapshot, signal: AbortSignal | undefined): Promise<void> {
    const { store, log } = this.#options;
    if (snapshot.manifest !== undefined) await store.delete(snapshot.manifest.key, signal);
    for (const part of snapshot.parts.values()) await store.delete(part.key, signal);
    log.debug('Deleted an old snapshot.', { snapshot: snapshot.prefix });
  }

  #foundNewer(snapshot: ListedSnapshot): void {
    if (!this.#options.newer.add(snapshot.prefix)) return;
    this.#options.log.warn(
      'The store holds a snapshot of a later version of the tracker: nothing will be deleted.',
      { snapshot: snapshot.prefix },
    );
  }
}
