/**
 * Takes one snapshot: the journal's cut, parts while the walk goes on, then a look at whether they are all there, then
 * the manifest (rules D-N1, D-N3, D-N5). What was put is taken back when it comes to nothing. Leaves when to take one,
 * and what becomes of the older ones, to the saver.
 */
import type { MonotonicMs } from '../../slices.ts';
import type { Totals } from '../../swarm/swarm-table.ts';
import type { Walk } from '../../swarm/walk.ts';
import { timeLimit } from '../../time-limit.ts';
import { encodeManifest, type Manifest } from '../format/manifest.ts';
import { manifestKey, SNAPSHOTS_PREFIX, type SnapshotId, snapshotPrefix } from '../format/object-keys.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import type { Journal } from '../journal/journal.ts';
import type { Vector } from '../listing/segment-listing.ts';
import { isComplete, listSnapshots } from '../listing/snapshot-listing.ts';
import type { TableTurn } from '../merge/table-turn.ts';
import { type Store, type StoredObject, StoreError } from '../store/store.ts';
import type { SavedHistory } from './history-part.ts';
import { putParts } from './snapshot-parts.ts';

const TAKE_BACK_MS_MAX = 30_000;

/** What a snapshot needs of the table. */
export interface SwarmSource {
  readonly changes: number;
  readonly totals: Pick<Totals, 'completed'>;
  walk(now: number): Pick<Walk, 'step' | 'end' | 'lost'>;
}

export interface SnapshotSources {
  readonly store: Store;
  readonly table: SwarmSource;
  /** Without it no history is saved. */
  readonly history?: SavedHistory | undefined;
  readonly journal: Pick<Journal, 'cut' | 'stored'>;
  /** What of the other boots' journals is part of the table. */
  readonly others: { readonly vector: Vector };
  readonly turn: TableTurn;
  readonly keys: StoreKeys;
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
  readonly partBytesMax?: number;
}

export interface TakenSnapshot {
  readonly manifest: Manifest;
  /** All its objects together. */
  readonly bytes: number;
  /** What `table.changes` was at the cut. */
  readonly changesAtCut: number;
  /** The snapshots in the store, this one among them. */
  readonly listed: readonly StoredObject[];
}

/** What the walk found, as of the cut. */
interface Walked extends Manifest {
  readonly changesAtCut: number;
}

/** Rejects with a StoreError when the store fails, and with the signal's reason when that fires. */
export async function takeSnapshot(
  id: SnapshotId,
  sources: SnapshotSources,
  signal: AbortSignal,
): Promise<TakenSnapshot> {
  const { store, keys } = sources;
  const { changesAtCut, after, ...manifest } = await putAllParts(id, sources, signal).catch(async (error) => {
    // What was given up for a shutdown has no time to be cleaned up after.
    const isGivenUp = signal.aborted && (signal.reason as Error).name !== 'TimeoutError';
    if (!isGivenUp) await takeBack(id, store);
    throw error;
  });
  const key = manifestKey(id);
  const encoded = encodeManifest(manifest, keys);
  await store.put(key, encoded, signal);
  const listed = [...after, { key, sizeBytes: encoded.length, lastModifiedSeconds: manifest.takenAtSeconds }];
  const bytes = manifest.partBytes.reduce((sum, part) => sum + part, encoded.length);
  return { manifest, bytes, changesAtCut, listed };
}

/** All but the manifest; `after` is a listing with the parts in it. */
async function putAllParts(
  id: SnapshotId,
  sources: SnapshotSources,
  signal: AbortSignal,
): Promise<Walked & { readonly after: readonly StoredObject[] }> {
  const { store, turn, journal } = sources;
  const walked = await turn.take(() => cutAndWalk(id, sources, signal));
  // Others learn from the journal: a snapshot that came before what it covers would, after a crash, keep it from them.
  await journal.stored(walked.cutSequence, signal);
  const after = await store.list(SNAPSHOTS_PREFIX, signal);
  const parts = listSnapshots(after).find((snapshot) => snapshot.prefix === snapshotPrefix(id));
  if (walked.partBytes.length > 0 && (parts === undefined || !isComplete(parts, walked))) {
    throw new StoreError(
      'failed',
      `Parts of ${snapshotPrefix(id)} are missing in ${store.address} after they were put.`,
    );
  }
  return { ...walked, after };
}

/**
 * Rule D-N1: nothing comes between the journal's cut and the walk's start, and no other tracker's segment is merged
 * while the walk goes on.
 */
async function cutAndWalk(id: SnapshotId, sources: SnapshotSources, signal: AbortSignal): Promise<Walked> {
  const { store, table, journal, others, nowSeconds } = sources;
  const offsetSeconds = store.clockOffsetSeconds;
  const put = (key: string, bytes: Uint8Array): Promise<void> => store.put(key, bytes, signal);
  signal.throwIfAborted();
  const atCut = {
    takenAtSeconds: nowSeconds() + offsetSeconds,
    completed: table.totals.completed,
    cutSequence: journal.cut(),
    vector: Object.fromEntries(others.vector),
    changesAtCut: table.changes,
  };
  const parts = await putParts(id, table.walk(nowSeconds()), { ...sources, offsetSeconds, put, signal });
  return { ...id, ...atCut, ...parts };
}

/** Parts without a manifest help nobody, and in a store that is full they keep the journal out. */
async function takeBack(id: SnapshotId, store: Store): Promise<void> {
  const limit = timeLimit(TAKE_BACK_MS_MAX);
  try {
    for (const { key } of await store.list(snapshotPrefix(id), limit.signal)) {
      await store.delete(key, limit.signal);
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error; // else the next retention sweeps them
  } finally {
    limit.end();
  }
}
