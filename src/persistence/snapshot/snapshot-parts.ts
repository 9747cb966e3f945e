/** Puts what a walk hands out as the parts of a snapshot, in slices, so that announces go on meanwhile. */
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import type { Walk } from '../../swarm/walk.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';

export interface PutPartsOptions {
  /** Given the parts in their order, counted from 0; the next is made when it has resolved. */
  readonly put: (part: number, bytes: Uint8Array) => Promise<void>;
  readonly monotonicMs: MonotonicMs;
  readonly signal?: AbortSignal | undefined;
}

/** Ends the walk, whatever happens. Returns the size of each part; rejects as `put` does or with the signal's reason. */
export async function putParts(
  walk: Pick<Walk, 'step' | 'end'>,
  writer: SnapshotWriter,
  { put, monotonicMs, signal }: PutPartsOptions,
): Promise<readonly number[]> {
  const partBytes: number[] = [];
  try {
    for (let hasMore = true; hasMore; writer.nextPart()) {
      const step = (): boolean => {
        hasMore = walk.step(writer);
        return hasMore && !writer.isPartFull;
      };
      await runInSlices(step, { monotonicMs, signal });
      const part = writer.finishPart();
      if (part === undefined) continue;
      await put(partBytes.length, part);
      partBytes.push(part.length);
    }
  } finally {
    walk.end();
  }
  return partBytes;
}
