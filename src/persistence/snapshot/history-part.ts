/**
 * The history as the last part of a snapshot: an object of its own, so that what happens to it costs no peer (rule D-N5).
 * The manifest counts it in `historyParts`.
 */
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import type { History } from '../../stats/history.ts';
import { historyBlocks } from '../format/history-blocks.ts';
import { BlockTag, ObjectKind } from '../format/object-format.ts';
import { ObjectWriter } from '../format/object-writer.ts';
import type { StoreKeys } from '../format/store-keys.ts';

/** What is saved of the history. */
export type SavedHistory = Pick<History, 'points' | 'restarts'>;

export interface HistoryPartOptions {
  readonly keys: StoreKeys;
  /** What makes its times the store's. */
  readonly offsetSeconds: number;
  readonly monotonicMs: MonotonicMs;
  readonly signal?: AbortSignal | undefined;
}

/** The bytes to put under `key`; undefined when there is nothing to save. */
export async function encodeHistoryPart(
  key: string,
  history: SavedHistory,
  { keys, offsetSeconds, monotonicMs, signal }: HistoryPartOptions,
): Promise<Uint8Array | undefined> {
  const { points, restarts } = history;
  if (points.length === 0) return undefined;
  const object = new ObjectWriter(ObjectKind.snapshotPart, key, keys);
  const blocks = points.flatMap((some) => [...historyBlocks(some, restarts, offsetSeconds)]);
  let written = 0;
  const step = (): boolean => {
    object.append(BlockTag.history, blocks[written++]!);
    return written < blocks.length;
  };
  await runInSlices(step, { monotonicMs, signal });
  return object.finish(0, 0);
}
