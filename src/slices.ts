/**
 * Long work in slices of at most a millisecond, so that no announce ever waits behind a purge, a save or a
 * restore. The caller gives the work as a step that does a little and says whether there is more.
 */

/** A clock that only runs forward, in milliseconds (performance.now). */
export type MonotonicMs = () => number;

const SLICE_MS_MAX = 1;

export interface SliceOptions {
  readonly monotonicMs: MonotonicMs;
  /** Stops between two slices; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly sliceMsMax?: number;
}

/**
 * Calls `step` until it returns false, and gives the event loop a turn after each slice. What `step` throws
 * rejects the promise.
 */
export async function runInSlices(step: () => boolean, options: SliceOptions): Promise<void> {
  const { monotonicMs, signal, sliceMsMax = SLICE_MS_MAX } = options;
  for (;;) {
    signal?.throwIfAborted();
    const end = monotonicMs() + sliceMsMax;
    do {
      if (!step()) return;
    } while (monotonicMs() < end);
    await nextTurn();
  }
}

/** Resolves after the event loop has looked at its sockets once. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
