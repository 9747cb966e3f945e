/**
 * Which snapshots a store holds and what state each is in, as far as a listing and the manifests tell (rule D-N3).
 * For people who look at a store, and for those who act on what they see; whether every byte is well is
 * snapshot-check.ts's to say.
 */
import { decodeManifest, type Manifest } from '../format/manifest.ts';
import { isSealedHeader, ObjectKind, readObjectHeader } from '../format/object-format.ts';
import { SNAPSHOTS_PREFIX } from '../format/object-keys.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import { LEFTOVER_AGE_SECONDS_MIN } from '../listing/retention.ts';
import { isComplete, type ListedSnapshot, listSnapshots } from '../listing/snapshot-listing.ts';
import { inTurn } from '../store/read-ahead.ts';
import { ifThere, type Store } from '../store/store.ts';
import { LOCKED, NEWER } from './object-problem.ts';

/**
 * `newer`: written by a later version. `locked`: sealed, and no key opens it. `unfinished`: without a manifest, so it
 * is being written, or was left over.
 */
export type SnapshotState = 'whole' | 'damaged' | 'unfinished' | 'newer' | 'locked';

export interface SurveyedSnapshot {
  readonly listed: ListedSnapshot;
  readonly state: SnapshotState;
  /** undefined when it cannot be read. */
  readonly manifest: Manifest | undefined;
  /** Why it is not whole, as a sentence's end. */
  readonly what: string | undefined;
  /** Whether its manifest is sealed; undefined without one that can be read so far. */
  readonly isSealed: boolean | undefined;
}

export interface SurveyOptions {
  readonly keys: StoreKeys;
  readonly signal?: AbortSignal | undefined;
}

const READS_AHEAD = 8;

/** Newest first. Rejects with a StoreError when the store fails. */
export async function surveySnapshots(
  store: Store,
  options: SurveyOptions,
): Promise<readonly SurveyedSnapshot[]> {
  const listed = listSnapshots(await store.list(SNAPSHOTS_PREFIX, options.signal));
  const surveyed: SurveyedSnapshot[] = [];
  const surveying = inTurn(listed, (one) => survey(store, one, options), READS_AHEAD);
  for await (const [, snapshot] of surveying) if (snapshot !== undefined) surveyed.push(snapshot);
  return surveyed;
}

/** Bytes of all its objects. */
export function storedBytes({ manifest, parts }: ListedSnapshot): number {
  return [...parts.values()].reduce((sum, part) => sum + part.sizeBytes, manifest?.sizeBytes ?? 0);
}

/** Without a manifest for so long that nobody can still be writing it (rule D-T2). */
export function isLeftover({ listed, state }: SurveyedSnapshot, storeSeconds: number): boolean {
  return state === 'unfinished' && listed.lastModifiedSeconds < storeSeconds - LEFTOVER_AGE_SECONDS_MIN;
}

/** undefined for one that has been deleted since it was listed. */
async function survey(
  store: Store,
  listed: ListedSnapshot,
  { keys, signal }: SurveyOptions,
): Promise<SurveyedSnapshot | undefined> {
  let isSealed: boolean | undefined;
  const as = (state: SnapshotState, what?: string, manifest?: Manifest): SurveyedSnapshot => ({
    listed,
    state,
    manifest,
    what,
    isSealed,
  });
  if (listed.manifest === undefined) return as('unfinished', 'it has no manifest');
  if (listed.isOversized) return as('damaged', 'an object of it is larger than any that is written');
  const { key } = listed.manifest;
  const bytes = await ifThere(store.get(key, signal));
  if (bytes === undefined) {
    const isStillListed = (await store.list(key, signal)).length > 0;
    return isStillListed ? as('damaged', 'its manifest is listed and not there') : undefined;
  }
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (readObjectHeader(header, ObjectKind.manifest) === 'readable') isSealed = isSealedHeader(header);
  const manifest = decodeManifest(key, bytes, keys);
  if (manifest === 'newer') return as('newer', NEWER);
  if (manifest === 'locked') return as('locked', LOCKED);
  if (manifest === 'damaged') return as('damaged', 'its manifest cannot be read');
  if (isComplete(listed, manifest)) return as('whole', undefined, manifest);
  return as('damaged', 'parts are missing or have another size than the manifest says', manifest);
}
