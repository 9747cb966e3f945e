/** Reads a listing of the store as journal segments, and says which of them a vector does not cover yet. */
import { parseSegmentKey, type SegmentId } from '../format/object-keys.ts';
import type { StoredObject } from '../store/store.ts';

/** Per boot the last segment that is part of something (rule D-J2). */
export type Vector = ReadonlyMap<string, number>;

export interface ListedSegment extends SegmentId {
  readonly key: string;
  readonly sizeBytes: number;
  /** By the store's clock. */
  readonly lastModifiedSeconds: number;
}

/** Of each boot its segments in their order. Objects with other keys are somebody else's and not looked at. */
export function listSegments(
  objects: readonly StoredObject[],
): ReadonlyMap<string, readonly ListedSegment[]> {
  const found = new Map<string, ListedSegment[]>();
  for (const { key, sizeBytes, lastModifiedSeconds } of objects) {
    const id = parseSegmentKey(key);
    if (id === undefined) continue;
    const segments = found.get(id.boot);
    const segment = { ...id, key, sizeBytes, lastModifiedSeconds };
    if (segments === undefined) found.set(id.boot, [segment]);
    else segments.push(segment);
  }
  for (const segments of found.values()) segments.sort((one, other) => one.sequence - other.sequence);
  return found;
}

export function isPast({ boot, sequence }: SegmentId, vector: Vector): boolean {
  return sequence > (vector.get(boot) ?? 0);
}

/** The size of all listed segments that the vector does not cover. */
export function bytesPast(objects: readonly StoredObject[], vector: Vector): number {
  let bytes = 0;
  for (const { key, sizeBytes } of objects) {
    const id = parseSegmentKey(key);
    if (id !== undefined && isPast(id, vector)) bytes += sizeBytes;
  }
  return bytes;
}
