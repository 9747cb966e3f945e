/**
 * Closed segments of the journal on their way to the store, one at a time and in their order (rules D-J3, D-O3):
 *
 *   segment waits ──► its blocks are compressed, in slices ──► put, and tried again until it is stored
 *
 * Promises: memory is bounded, for a store that is away. Segments that wait hold at most 16 MiB; past that the oldest are
 * dropped, which leaves a gap in the sequence, and `lostSequence` says so until a snapshot covers them.
 */
import type { Log } from '../../log.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import { Histogram, WAIT_BOUNDS_SECONDS } from '../../stats/histogram.ts';
import type { HistoryPoints } from '../../stats/history.ts';
import { timeLimit } from '../../time-limit.ts';
import { historyBlocks } from '../format/history-blocks.ts';
import { setOffset } from '../format/journal-entries.ts';
import { BlockTag, ObjectKind } from '../format/object-format.ts';
import { JOURNAL_PREFIX, segmentKey } from '../format/object-keys.ts';
import { ObjectWriter } from '../format/object-writer.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import { pauseMs, RetryPause } from '../store/retry-pause.ts';
import { StoreError, type TimedStore } from '../store/store.ts';

export const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** A process that is about to end tries more often. */
const CLOSING_PAUSE_MS_MAX = 500;
const CLOSING_FIRST_TRY_MS = 8_000;
/** Longer than any call to a store takes. */
const TRY_MS_MAX = 60_000;

export interface SegmentQueueOptions {
  readonly store: TimedStore;
  readonly keys: StoreKeys;
  readonly boot: string;
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
  readonly retryMs?: number;
  readonly waitingBytesMax?: number;
}

export interface ClosedSegment {
  readonly sequence: number;
  readonly blocks: readonly Buffer[];
  readonly bytes: number;
  /** When its first entry was heard. */
  readonly sinceSeconds: number;
  readonly history: WaitingHistory | undefined;
}

/** What of the history no segment has told yet. */
export interface WaitingHistory {
  readonly points: HistoryPoints | undefined;
  readonly restarts: number;
}

interface Waiting extends ClosedSegment {
  /** As it goes to the store, made at the first try: a retry puts the same bytes. */
  object?: Uint8Array;
}

export class SegmentQueue {
  /** Bytes of the entries in the segments that wait. */
  bytes = 0;
  /** The last segment that had to be dropped, 0 when none was. */
  lostSequence = 0;
  dropped = 0;
  written = 0;
  bytesWritten = 0;
  /** When the last segment was stored; undefined before the first. */
  writtenAtSeconds: number | undefined;
  /** Of each segment with entries: how long the first of them had waited when it was stored. */
  readonly waits = new Histogram(WAIT_BOUNDS_SECONDS);

  readonly #options: SegmentQueueOptions;
  readonly #waitingBytesMax: number;
  readonly #onEmpty: () => void;
  readonly #ending = new AbortController();
  readonly #pause: RetryPause;
  #waiting: Waiting[] = [];
  #putting: Promise<void> | undefined;
  #wake: AbortController | undefined;
  #try: AbortController | undefined;
  #isClosing = false;
  #isDropping = false;
  /** Told of each segment that waits no more. */
  readonly #watchers = new Set<() => void>();

  /** `onEmpty` is called whenever the last that waited is stored, and may add to the queue at once. */
  constructor(options: SegmentQueueOptions, onEmpty: () => void) {
    this.#options = options;
    this.#onEmpty = onEmpty;
    this.#waitingBytesMax = options.waitingBytesMax ?? WAITING_BYTES_MAX;
    this.#pause = new RetryPause(options.retryMs);
  }

  /** Segments that wait, the one that is being put included. */
  get size(): number {
    return this.#waiting.length;
  }

  /** When the first entry of those that wait was heard; undefined when none waits. */
  get sinceSeconds(): number | undefined {
    return this.#waiting[0]?.sinceSeconds;
  }

  add(segment: ClosedSegment): void {
    this.#waiting.push({ ...segment });
    this.bytes += segment.bytes;
    this.#dropBeyondBound();
    this.tryNow();
    this.#putting ??= this.#putAll();
  }

  /** Ends the pause after a failure, if there is one. */
  tryNow(): void {
    this.#wake?.abort();
  }

  /** Resolves when no segment up to this one waits any more; rejects with the signal's reason when that fires. */
  async stored(sequence: number, signal: AbortSignal): Promise<void> {
    while ((this.#waiting[0]?.sequence ?? Number.POSITIVE_INFINITY) <= sequence) {
      signal.throwIfAborted();
      let wake = (): void => {};
      const change = new Promise<void>((resolve) => {
        wake = resolve;
      });
      this.#watchers.add(wake);
      signal.addEventListener('abort', wake, { once: true });
      await change;
      signal.removeEventListener('abort', wake);
      this.#watchers.delete(wake);
    }
  }

  /** Puts what waits, and what `addLast` adds to it, until that is done or the signal fires; for a process that ends. */
  async drain(signal: AbortSignal, addLast: () => void): Promise<void> {
    const end = (): void => {
      this.#ending.abort(signal.reason);
      this.tryNow();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    this.#isClosing = true;
    addLast();
    this.tryNow();
    // A try that hangs on a connection that is dead must not take all the time there is; the next one may have it.
    const patience = setTimeout(() => this.#try?.abort(), CLOSING_FIRST_TRY_MS);
    await this.#putting;
    clearTimeout(patience);
    signal.removeEventListener('abort', end);
  }

  /** The oldest go first, but not the one that is being put: it may be stored already. */
  #dropBeyondBound(): void {
    let dropped = 0;
    while (this.bytes > this.#waitingBytesMax && this.#waiting.length > 2) {
      const [oldest] = this.#waiting.splice(1, 1);
      this.bytes -= oldest!.bytes;
      this.lostSequence = oldest!.sequence;
      dropped += 1;
    }
    this.dropped += dropped;
    if (dropped > 0 && !this.#isDropping) {
      this.#isDropping = true;
      this.#options.log.warn(
        'The store has been away for so long that the journal no longer fits in memory: its oldest part is dropped, and a snapshot will follow as soon as the store answers.',
        { waitingBytesMax: this.#waitingBytesMax },
      );
    }
  }

  /** Rejects, and nobody catches it, when something throws what is no StoreError: that is a bug. */
  async #putAll(): Promise<void> {
    const { signal } = this.#ending;
    while (this.#waiting.length > 0 && !signal.aborted) {
      const segment = this.#waiting[0]!;
      this.#try = new AbortController();
      const limit = timeLimit(TRY_MS_MAX, signal, this.#try.signal);
      try {
        await this.#put(segment, limit.signal);
        this.#pause.reset();
        if (this.#waiting.length === 0) this.#onEmpty();
      } catch (error) {
        if (signal.aborted && !(error instanceof StoreError)) break;
        const isGivenUp = limit.signal.aborted && error === limit.signal.reason;
        if (!(error instanceof StoreError) && !isGivenUp) throw error;
        if (this.#isClosing && error instanceof StoreError && error.failure === 'locked') break; // no key comes to a process that ends
        await this.#pauseOrWake();
      } finally {
        limit.end();
      }
    }
    this.#try = undefined;
    this.#putting = undefined; // with no wait since nothing was seen to wait, so that no segment is missed
  }

  async #put(segment: Waiting, signal: AbortSignal): Promise<void> {
    const { store, boot, nowSeconds } = this.#options;
    if (!store.isClockKnown) await store.list(`${JOURNAL_PREFIX}${boot}/`, signal);
    const key = segmentKey({ boot, sequence: segment.sequence });
    segment.object ??= await this.#encode(key, segment, signal);
    await store.put(key, segment.object, signal);
    this.#waiting.shift();
    this.bytes -= segment.bytes;
    if (this.#waiting.length === 0) this.#isDropping = false;
    for (const wake of this.#watchers) wake();
    this.written += 1;
    this.bytesWritten += segment.object.length;
    this.writtenAtSeconds = nowSeconds();
    if (segment.bytes > 0) this.waits.record(Math.max(0, this.writtenAtSeconds - segment.sinceSeconds));
  }

  async #encode(
    key: string,
    { blocks, history, bytes }: ClosedSegment,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { store, keys, monotonicMs } = this.#options;
    const offsetSeconds = store.clockOffsetSeconds;
    const object = new ObjectWriter(ObjectKind.journalSegment, key, keys, bytes);
    const points =
      history === undefined ? [] : [...historyBlocks(history.points, history.restarts, offsetSeconds)];
    let index = 0;
    await runInSlices(
      () => {
        const block = blocks[index];
        const point = points[index - blocks.length];
        index += 1;
        if (block !== undefined) {
          setOffset(block, offsetSeconds);
          object.append(BlockTag.journal, block);
        } else if (point !== undefined) {
          object.append(BlockTag.history, point);
        } else {
          return false;
        }
        return true;
      },
      { monotonicMs, signal },
    );
    return object.finish(0, 0);
  }

  async #pauseOrWake(): Promise<void> {
    this.#wake = new AbortController();
    const ms = this.#pause.nextMs();
    await pauseMs(this.#isClosing ? Math.min(ms, CLOSING_PAUSE_MS_MAX) : ms, this.#wake.signal);
    this.#wake = undefined;
  }
}
