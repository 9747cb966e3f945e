/**
 * Keeps the newest whole snapshots and the journal that one of them may need, and deletes the rest (rules D-T1, D-T2).
 * Deletes nothing that it does not understand: damaged objects and those that no key opens stay, and once an object of
 * a later version was met anywhere everything stays.
 * Leaves it to the caller to run only after a whole snapshot was saved and the restore had settled.
 */
import type { Log } from '../../log.ts';
import type { Manifest } from '../format/manifest.ts';
import { parseSegmentKey } from '../format/object-keys.ts';
import type { Store, StoredObject } from '../store/store.ts';
import { type ManifestCache, vectorOf } from './manifest-cache.ts';
import type { NewerObjects } from './newer-objects.ts';
import { isPast } from './segment-listing.ts';
import { isComplete, type ListedSnapshot } from './snapshot-listing.ts';

/** Another boot's snapshot without a manifest may still be being written when it is younger than this. */
export const LEFTOVER_AGE_SECONDS_MIN = 2 * 3600;

/** The journal stays for a while whoever has it: other trackers look for it once a minute at the least. */
export const JOURNAL_AGE_SECONDS_MIN = 120;

export interface RetentionOptions {
  readonly store: Store;
  readonly manifests: ManifestCache;
  readonly boot: string;
  /** How many whole snapshots stay (SNAPSHOT_KEEP). */
  readonly keep: number;
  /** Folders of snapshots that a restore found damaged although their manifests are well. */
  readonly isDamaged: (prefix: string) => boolean;
  /** Journal segments found damaged, by their keys. */
  readonly isSegmentDamaged: (key: string) => boolean;
  readonly newer: NewerObjects;
  readonly nowSeconds: () => number;
  readonly log: Log;
}

export class Retention {
  readonly #options: RetentionOptions;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /**
   * `listed` newest first and the journal, from listings that succeeded. Rejects with a StoreError when the store
   * fails.
   */
  async run(
    listed: readonly ListedSnapshot[],
    journal: readonly StoredObject[],
    signal?: AbortSignal,
  ): Promise<void> {
    const { store, boot, keep, isDamaged, nowSeconds, newer, manifests } = this.#options;
    const whole: { readonly snapshot: ListedSnapshot; readonly manifest: Manifest }[] = [];
    const unfinished: ListedSnapshot[] = [];
    /** A manifest that cannot be read may need any of the journal, as long as its snapshot would be kept. */
    let isAllJournalNeeded = false;
    for (const snapshot of listed) {
      if (snapshot.manifest === undefined) {
        unfinished.push(snapshot);
        continue;
      }
      const manifest = snapshot.isOversized ? 'damaged' : await manifests.get(snapshot, signal);
      if (manifest === 'newer') this.#foundNewer(snapshot);
      else if (manifest === 'damaged' || manifest === 'locked') isAllJournalNeeded ||= whole.length < keep;
      else if (!isDamaged(snapshot.prefix) && isComplete(snapshot, manifest))
        whole.push({ snapshot, manifest });
    }
    manifests.keepOnly(listed);
    if (newer.hasAny) return;
    for (const { snapshot } of whole.slice(keep)) await this.#delete(snapshot, signal);
    const oldSeconds = nowSeconds() + store.clockOffsetSeconds - LEFTOVER_AGE_SECONDS_MIN;
    for (const snapshot of unfinished) {
      if (snapshot.boot === boot || snapshot.lastModifiedSeconds < oldSeconds)
        await this.#delete(snapshot, signal);
    }
    if (isAllJournalNeeded || whole.length === 0) return;
    await this.#deleteJournal(
      whole.slice(0, keep).map(({ manifest }) => manifest),
      journal,
      signal,
    );
  }

  /** The segments that every one of the kept snapshots holds. */
  async #deleteJournal(
    kept: readonly Manifest[],
    journal: readonly StoredObject[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { store, isSegmentDamaged, nowSeconds } = this.#options;
    const vectors = kept.map(vectorOf);
    const oldSeconds = nowSeconds() + store.clockOffsetSeconds - JOURNAL_AGE_SECONDS_MIN;
    for (const { key, lastModifiedSeconds } of journal) {
      const segment = parseSegmentKey(key);
      if (segment === undefined || isSegmentDamaged(key) || lastModifiedSeconds >= oldSeconds) continue;
      if (vectors.some((vector) => isPast(segment, vector))) continue;
      await store.delete(key, signal);
    }
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
