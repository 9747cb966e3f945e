/**
 * Gives back to the history what was saved of it before this process began, by whichever tracker on this store. What is
 * damaged of it is left out, and nothing else depends on it.
 */
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import type { History } from '../../stats/history.ts';
import { HistoryBlockReader } from '../format/history-blocks.ts';
import type { ObjectKind } from '../format/object-format.ts';
import type { StoreKeys } from '../format/store-keys.ts';

export interface HistoryRestorerOptions {
  readonly history: Pick<History, 'restore' | 'noteEarlierStarts'>;
  readonly keys: StoreKeys;
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
}

export class HistoryRestorer {
  readonly #options: HistoryRestorerOptions;

  constructor(options: HistoryRestorerOptions) {
    this.#options = options;
  }

  /**
   * Takes in what this object holds of the history; `offsetSeconds` made its times the store's.
   *
   * @returns what is wrong with an object that holds nothing else, undefined when nothing is
   */
  async restore(
    kind: ObjectKind,
    objectKey: string,
    bytes: Uint8Array,
    offsetSeconds: number,
  ): Promise<string | undefined> {
    const { history, keys, nowSeconds, monotonicMs } = this.#options;
    const reader = new HistoryBlockReader(kind, objectKey, bytes, keys);
    const step = (): boolean => {
      const block = reader.next();
      if (block === undefined) return false;
      const { points, restarts } = block;
      history.noteEarlierStarts(restarts);
      history.restore({ ...points, endSeconds: points.endSeconds - offsetSeconds }, nowSeconds());
      return true;
    };
    await runInSlices(step, { monotonicMs });
    return reader.damage;
  }
}
