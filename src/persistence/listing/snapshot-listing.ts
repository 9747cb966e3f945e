/** Reads a listing of the store as snapshots, newest first, and says which are complete as far as a listing tells. */
import { type Manifest, swarmParts } from '../format/manifest.ts';
import { PART_BYTES_MAX } from '../format/object-format.ts';
import {
  compareNewestFirst,
  parseSnapshotKey,
  type SnapshotId,
  snapshotPrefix,
} from '../format/object-keys.ts';
import type { StoredObject } from '../store/store.ts';

/** A part is full a little before PART_BYTES_MAX, and a manifest far smaller. */
const SNAPSHOT_OBJECT_BYTES_MAX = 2 * PART_BYTES_MAX;

export interface ListedSnapshot extends SnapshotId {
  /** Its folder, which also names it in the log. */
  readonly prefix: string;
  readonly manifest: StoredObject | undefined;
  /** By part number. */
  readonly parts: ReadonlyMap<number, StoredObject>;
  /** One of its objects is larger than any that this version writes: it is not read, and the snapshot is damaged. */
  readonly isOversized: boolean;
  /** When its youngest object was written, by the store's clock. */
  readonly lastModifiedSeconds: number;
}

/** Newest first. Objects with other keys are somebody else's and not looked at. */
export function listSnapshots(objects: readonly StoredObject[]): readonly ListedSnapshot[] {
  const found = new Map<string, ListedSnapshot>();
  for (const object of objects) {
    const key = parseSnapshotKey(object.key);
    if (key === undefined) continue;
    const prefix = snapshotPrefix(key);
    const known = found.get(prefix);
    const parts = new Map(known?.parts);
    if (key.part !== undefined) parts.set(key.part, object);
    found.set(prefix, {
      number: key.number,
      boot: key.boot,
      prefix,
      manifest: key.part === undefined ? object : known?.manifest,
      parts,
      isOversized: known?.isOversized === true || isOversized(object),
      lastModifiedSeconds: Math.max(known?.lastModifiedSeconds ?? 0, object.lastModifiedSeconds),
    });
  }
  return [...found.values()].sort(compareNewestFirst);
}

export function isOversized({ sizeBytes }: StoredObject): boolean {
  return sizeBytes > SNAPSHOT_OBJECT_BYTES_MAX;
}

/** Whether every part with swarms that the manifest names is listed at its size (rules D-N3, D-N5). */
export function isComplete(listed: ListedSnapshot, manifest: Manifest): boolean {
  if (manifest.number !== listed.number || manifest.boot !== listed.boot) return false;
  const partBytes = manifest.partBytes.slice(0, swarmParts(manifest));
  return partBytes.every((bytes, part) => listed.parts.get(part)?.sizeBytes === bytes);
}
