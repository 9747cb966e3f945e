/**
 * Reads every byte of a snapshot and says what is wrong with it: checksums of each block, the counts at each part's
 * end, the manifest's sizes and sums (rules D-N3, D-O4). Changes nothing.
 */
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import { EntryBlocks } from '../format/entry-blocks.ts';
import { type Manifest, swarmParts } from '../format/manifest.ts';
import { partKey } from '../format/object-keys.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import { SNAPSHOT_PART, type SwarmEntryReader } from '../format/swarm-entries.ts';
import { isOversized } from '../listing/snapshot-listing.ts';
import { readAhead } from '../store/read-ahead.ts';
import type { Store } from '../store/store.ts';
import { LOCKED, type ObjectProblem } from './object-problem.ts';
import type { SnapshotState, SurveyedSnapshot } from './snapshot-survey.ts';

export interface SnapshotCheck {
  readonly state: SnapshotState;
  readonly problems: readonly ObjectProblem[];
  readonly bytesRead: number;
  /** What the valid blocks hold. */
  readonly swarms: number;
  readonly peers: number;
  /** When its last block was finished, by the store's clock; 0 when there is none. */
  readonly finishedAtSeconds: number;
}

export interface CheckOptions {
  readonly keys: StoreKeys;
  readonly monotonicMs: MonotonicMs;
  readonly signal?: AbortSignal | undefined;
  /** Told after each object. */
  readonly onRead?: (bytes: number) => void;
}

/** Rejects with a StoreError when the store fails. */
export async function checkSnapshot(
  store: Store,
  { listed, manifest, state, what }: SurveyedSnapshot,
  options: CheckOptions,
): Promise<SnapshotCheck> {
  const problems: ObjectProblem[] = [];
  /** What is wrong with the history makes no snapshot a damaged one (rule D-N5). */
  const aside: ObjectProblem[] = [];
  const historyKeys = new Set(manifest === undefined ? [] : historyPartKeys(listed, manifest));
  const about = (key: string): ObjectProblem[] => (historyKeys.has(key) ? aside : problems);
  const found = { bytesRead: listed.manifest?.sizeBytes ?? 0, swarms: 0, peers: 0, finishedAtSeconds: 0 };
  if (state === 'newer' || state === 'locked')
    return { ...found, state, problems: [{ key: listed.prefix, what: what ?? state }] };
  if (what !== undefined && state !== 'unfinished') problems.push({ key: listed.prefix, what });
  if (manifest !== undefined) {
    for (const problem of partProblems(listed, manifest.partBytes)) about(problem.key).push(problem);
  }
  options.onRead?.(found.bytesRead);
  let [isNewer, isLocked] = [false, false];
  const parts = [...listed.parts.values()].filter((part) => !isOversized(part));
  const keys = parts.map(({ key }) => key).sort();
  for await (const { key, bytes } of readAhead(store, keys, options.signal)) {
    if (bytes === undefined) {
      about(key).push({ key, what: 'it is listed and not there' });
      continue;
    }
    const part = new PartCheck(key, bytes, options.keys);
    await runInSlices(() => part.step(), options);
    const { state: partState, damage } = part.blocks;
    isNewer ||= partState === 'newer';
    isLocked ||= partState === 'locked';
    if (partState === 'locked') problems.push({ key, what: LOCKED });
    else if (damage !== undefined) about(key).push({ key, what: damage });
    found.bytesRead += bytes.length;
    found.swarms += part.swarms;
    found.peers += part.peers;
    found.finishedAtSeconds = Math.max(found.finishedAtSeconds, part.finishedAtSeconds);
    options.onRead?.(bytes.length);
  }
  const isAllRead = problems.length === 0 && !isNewer;
  if (isAllRead && manifest !== undefined) {
    if (found.swarms !== manifest.swarms || found.peers !== manifest.peers)
      problems.push({ key: listed.prefix, what: 'its parts do not hold what the manifest says' });
  }
  const all = { ...found, problems: [...problems, ...aside] };
  if (isNewer) return { ...all, state: 'newer' };
  if (isLocked) return { ...all, state: 'locked' };
  return { ...all, state: problems.length > 0 ? 'damaged' : state };
}

function historyPartKeys(listed: SurveyedSnapshot['listed'], manifest: Manifest): readonly string[] {
  const { length } = manifest.partBytes;
  const first = swarmParts(manifest);
  return Array.from({ length: length - first }, (_, index) => partKey(listed, first + index));
}

function partProblems(
  listed: SurveyedSnapshot['listed'],
  partBytes: readonly number[],
): readonly ObjectProblem[] {
  return partBytes.flatMap((bytes, part) => {
    const there = listed.parts.get(part)?.sizeBytes;
    if (there === bytes) return [];
    const key = partKey(listed, part);
    if (there === undefined) return [{ key, what: 'it is missing' }];
    return [{ key, what: `it has ${there} bytes, the manifest says ${bytes}` }];
  });
}

/** Counts what the valid blocks of one part hold, a block a step. */
class PartCheck {
  readonly blocks: EntryBlocks<SwarmEntryReader>;
  swarms = 0;
  peers = 0;
  finishedAtSeconds = 0;

  constructor(objectKey: string, bytes: Uint8Array, keys: StoreKeys) {
    this.blocks = new EntryBlocks(SNAPSHOT_PART, objectKey, bytes, keys);
  }

  /** False at the end. */
  step(): boolean {
    const { blocks } = this;
    const entries = blocks.next();
    if (entries === undefined) {
      const isAsSaid = blocks.firstCount === this.swarms && blocks.secondCount === this.peers;
      if (blocks.state === 'whole' && !isAsSaid) blocks.reject('it does not hold what its end says');
      return false;
    }
    while (entries.next()) {
      if (entries.isRun) this.peers += entries.seeders + entries.leechers;
      else this.swarms += 1;
    }
    this.finishedAtSeconds = Math.max(this.finishedAtSeconds, entries.baseSeconds);
    return true;
  }
}
