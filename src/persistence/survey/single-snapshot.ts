/**
 * Writes one whole snapshot into a store that holds neither snapshots nor a journal: a state as it was at some moment,
 * for a tracker to start from. All times are by the clock of the store that the state came from. What was put is taken
 * back when the writing fails, so that a second try finds the store empty again.
 */
import type { MonotonicMs } from '../../slices.ts';
import type { SwarmTable } from '../../swarm/swarm-table.ts';
import { encodeManifest, type Manifest } from '../format/manifest.ts';
import {
  JOURNAL_PREFIX,
  manifestKey,
  SNAPSHOTS_PREFIX,
  type SnapshotId,
  snapshotPrefix,
} from '../format/object-keys.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import { isComplete, listSnapshots } from '../listing/snapshot-listing.ts';
import type { SavedHistory } from '../snapshot/history-part.ts';
import { putParts } from '../snapshot/snapshot-parts.ts';
import { abortedError, type Store, StoreError } from '../store/store.ts';

export interface SingleSnapshotOptions {
  readonly store: Store;
  /** Of this process. */
  readonly boot: string;
  readonly table: Pick<SwarmTable, 'totals' | 'walk'>;
  readonly history?: SavedHistory | undefined;
  /** What the snapshot says of when it was taken. */
  readonly takenAtSeconds: number;
  /** Those of the store that is written to. */
  readonly keys: StoreKeys;
  readonly monotonicMs: MonotonicMs;
  readonly signal?: AbortSignal | undefined;
  /** Told after each part. */
  readonly onWritten?: (bytes: number) => void;
  readonly partBytesMax?: number;
}

export interface SingleSnapshot {
  readonly manifest: Manifest;
  readonly bytes: number;
}

/** What keeps a snapshot from being written there; undefined when nothing does. */
export async function whatIsThere(store: Store, signal?: AbortSignal): Promise<string | undefined> {
  const snapshots = await store.list(SNAPSHOTS_PREFIX, signal);
  if (snapshots.length > 0) return `${snapshots.length} objects of snapshots`;
  const segments = await store.list(JOURNAL_PREFIX, signal);
  return segments.length > 0 ? `${segments.length} segments of a journal` : undefined;
}

/** Rejects with a StoreError when the store fails, or when somebody else has begun to write there. */
export async function writeSingleSnapshot(options: SingleSnapshotOptions): Promise<SingleSnapshot> {
  const { store, boot, signal } = options;
  const id: SnapshotId = { number: 1, boot };
  const put: string[] = [];
  try {
    return await write(id, options, put);
  } catch (error) {
    // The manifest first, as ever. A put that failed may have happened.
    for (const key of put.reverse()) await store.delete(key).catch(() => {});
    throw signal?.aborted && error === signal.reason
      ? abortedError('The writing of the snapshot', signal)
      : error;
  }
}

async function write(id: SnapshotId, options: SingleSnapshotOptions, put: string[]): Promise<SingleSnapshot> {
  const { store, keys, table, takenAtSeconds, signal, onWritten } = options;
  const putPart = async (key: string, bytes: Uint8Array): Promise<void> => {
    put.push(key);
    await store.put(key, bytes, signal);
    onWritten?.(bytes.length);
  };
  const parts = await putParts(id, table.walk(takenAtSeconds), {
    ...options,
    nowSeconds: () => takenAtSeconds,
    offsetSeconds: 0,
    put: putPart,
  });
  const { completed } = table.totals;
  const manifest = { ...id, takenAtSeconds, ...parts, completed, cutSequence: 0, vector: {} };
  await assertAlone(id, manifest, options);
  const bytes = encodeManifest(manifest, keys);
  put.push(manifestKey(id));
  await store.put(manifestKey(id), bytes, signal);
  return { manifest, bytes: parts.partBytes.reduce((sum, part) => sum + part, bytes.length) };
}

/** Rule D-N3, and that no tracker has started on the store meanwhile. */
async function assertAlone(
  id: SnapshotId,
  manifest: Manifest,
  { store, signal }: SingleSnapshotOptions,
): Promise<void> {
  const listed = listSnapshots(await store.list(SNAPSHOTS_PREFIX, signal));
  const own = listed.find(({ prefix }) => prefix === snapshotPrefix(id));
  if (listed.some((snapshot) => snapshot !== own)) {
    throw new StoreError('failed', `Somebody else has begun to write snapshots to ${store.address}.`);
  }
  if (manifest.partBytes.length > 0 && (own === undefined || !isComplete(own, manifest))) {
    throw new StoreError('failed', `Parts are missing in ${store.address} after they were put.`);
  }
}
