/**
 * Puts what a walk hands out as the parts of a snapshot, and the history behind them as a part of its own (rule D-N5); in
 * slices, so that announces go on meanwhile. Leaves the cut before and the manifest after to the callers.
 */
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import type { Walk } from '../../swarm/walk.ts';
import type { Manifest } from '../format/manifest.ts';
import { partKey, type SnapshotId } from '../format/object-keys.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import { StoreError } from '../store/store.ts';
import { encodeHistoryPart, type SavedHistory } from './history-part.ts';
import { SnapshotWriter } from './snapshot-writer.ts';

export interface PutPartsOptions {
  readonly keys: StoreKeys;
  /** Without it no history is put. */
  readonly history?: SavedHistory | undefined;
  readonly nowSeconds: () => number;
  /** What to add to this machine's times to make them the store's. */
  readonly offsetSeconds: number;
  /** Given the parts in their order; the next is made when it has resolved. */
  readonly put: (key: string, bytes: Uint8Array) => Promise<void>;
  readonly monotonicMs: MonotonicMs;
  readonly signal?: AbortSignal | undefined;
  readonly partBytesMax?: number | undefined;
}

/** What the manifest says of them. */
export type PutParts = Pick<Manifest, 'swarms' | 'peers' | 'partBytes' | 'historyParts'>;

/**
 * Ends the walk, whatever happens. Rejects as `put` does, with the signal's reason, or with a StoreError when the walk
 * could not follow.
 */
export async function putParts(
  id: SnapshotId,
  walk: Pick<Walk, 'step' | 'end' | 'lost'>,
  options: PutPartsOptions,
): Promise<PutParts> {
  const { history, put } = options;
  const walked = await putWalked(id, walk, options);
  if (walk.lost > 0) {
    throw new StoreError('failed', `${walk.lost} peers moved past the walk faster than it could follow.`);
  }
  const key = partKey(id, walked.partBytes.length);
  const part = history && (await encodeHistoryPart(key, history, options));
  if (part === undefined) return walked;
  await put(key, part);
  return { ...walked, partBytes: [...walked.partBytes, part.length], historyParts: 1 };
}

async function putWalked(
  id: SnapshotId,
  walk: Pick<Walk, 'step' | 'end'>,
  options: PutPartsOptions,
): Promise<PutParts> {
  const { put, monotonicMs, signal } = options;
  try {
    const writer = new SnapshotWriter({ ...options, partKey: (part) => partKey(id, part) });
    const partBytes: number[] = [];
    for (let hasMore = true; hasMore; writer.nextPart()) {
      const step = (): boolean => {
        hasMore = walk.step(writer);
        return hasMore && !writer.isPartFull;
      };
      await runInSlices(step, { monotonicMs, signal });
      const part = writer.finishPart();
      if (part === undefined) continue;
      await put(partKey(id, partBytes.length), part);
      partBytes.push(part.length);
    }
    return { swarms: writer.swarmsTotal, peers: writer.peersTotal, partBytes };
  } finally {
    walk.end();
  }
}
