/**
 * Whether a scheduled snapshot is worth its cost (rule D-N4): with a journal beside it, only when the last whole one,
 * whichever tracker on this store wrote it, is half an hour old, or the journal since has grown to half its size.
 */
import { type ManifestCache, vectorOf } from '../listing/manifest-cache.ts';
import { bytesPast } from '../listing/segment-listing.ts';
import type { ListedSnapshot } from '../listing/snapshot-listing.ts';
import type { StoredObject } from '../store/store.ts';

const AGE_SECONDS_MAX = 30 * 60;
const JOURNAL_SHARE_MAX = 0.5;

export interface SnapshotDueOptions {
  readonly manifests: ManifestCache;
  /** By the store's clock. */
  readonly nowSeconds: number;
  readonly signal: AbortSignal;
}

/** `listed` newest first. Rejects with a StoreError. */
export async function isSnapshotDue(
  listed: readonly ListedSnapshot[],
  journal: readonly StoredObject[],
  { manifests, nowSeconds, signal }: SnapshotDueOptions,
): Promise<boolean> {
  for (const snapshot of listed) {
    const manifest = await manifests.whole(snapshot, signal);
    if (manifest === undefined) continue;
    const bytes = manifest.partBytes.reduce((sum, part) => sum + part, 0);
    const isOld = nowSeconds - manifest.takenAtSeconds >= AGE_SECONDS_MAX;
    return isOld || bytesPast(journal, vectorOf(manifest)) >= bytes * JOURNAL_SHARE_MAX;
  }
  return true;
}
