/**
 * Reads every byte of a snapshot and says what is wrong with it: checksums of each block, the counts at each part's
 * end, the manifest's sizes and sums (rules D-N3, D-O4). Changes nothing.
 */
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import { type Manifest, swarmParts } from '../format/manifest.ts';
import { BlockTag, ObjectKind } from '../format/object-format.ts';
import { partKey } from '../format/object-keys.ts';
import { ObjectReader, type ObjectState } from '../format/object-reader.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import { SwarmEntryReader } from '../format/swarm-entries.ts';
import { isOversized } from '../listing/snapshot-listing.ts';
import { readAhead } from '../store/read-ahead.ts';
import type { Store } from '../store/store.ts';
import { LOCKED, type SnapshotState, type SurveyedSnapshot } from './snapshot-survey.ts';

export interface ObjectProblem {
  readonly key: string;
  /** As a sentence's end. */
  readonly what: string;
}

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
    isNewer ||= part.state === 'newer';
    isLocked ||= part.state === 'locked';
    if (part.state === 'locked') problems.push({ key, what: LOCKED });
    else if (part.damage !== undefined) about(key).push({ key, what: part.damage });
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

/** One part, a block a step. */
class PartCheck {
  readonly #reader: ObjectReader;
  swarms = 0;
  peers = 0;
  finishedAtSeconds = 0;

  constructor(objectKey: string, bytes: Uint8Array, keys: StoreKeys) {
    this.#reader = new ObjectReader(bytes, {
      kind: ObjectKind.snapshotPart,
      tag: BlockTag.swarms,
      objectKey,
      keys,
    });
  }

  /** Meaningful once `step` has returned false. */
  get state(): ObjectState {
    return this.#reader.state;
  }

  get damage(): string | undefined {
    return this.#reader.damage;
  }

  /** False at the end. */
  step(): boolean {
    const reader = this.#reader;
    const block = reader.next();
    if (block === undefined) {
      const isAsSaid = reader.firstCount === this.swarms && reader.secondCount === this.peers;
      if (reader.state === 'whole' && !isAsSaid) reader.reject('it does not hold what its end says');
      return false;
    }
    const entries = new SwarmEntryReader(block.raw);
    while (entries.next()) {
      if (entries.isRun) this.peers += entries.seeders + entries.leechers;
      else this.swarms += 1;
    }
    if (entries.isMalformed) reader.reject(`block ${block.number} holds no entries that can be read`);
    this.finishedAtSeconds = Math.max(this.finishedAtSeconds, entries.baseSeconds);
    return true;
  }
}
