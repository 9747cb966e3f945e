/**
 * What this tracker hears, written to the store as segments: entries gather in blocks, each interval `tick` closes
 * what has gathered as the next segment, and closed segments go out one at a time, in their order (rules D-J1,
 * D-J3, D-O3). Nothing heard, nothing written.
 *
 *   announce → entries → blocks ── cut ──► segment waits ──► put under journal/<boot>/<sequence>
 *
 * Promises: an announce costs a copy of its entry; blocks are compressed only when their segment goes out, in
 * slices; memory is bounded, for a store that is away: closed segments that wait hold at most 16 MiB, the one that
 * is gathering four. Past that the oldest are dropped, which leaves a gap in the sequence, and `lostSequence` says so
 * until a snapshot covers them.
 */
import type { Log } from '../../log.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import type { History, HistoryPoints } from '../../stats/history.ts';
import type { Family } from '../../swarm/record.ts';
import { timeLimit } from '../../time-limit.ts';
import type { AnnounceJournal } from '../../tracker/announce-journal.ts';
import { historyBlocks } from '../format/history-blocks.ts';
import { JournalEntryWriter, setOffset } from '../format/journal-entries.ts';
import { BlockTag, ObjectKind } from '../format/object-format.ts';
import { assertBootId, JOURNAL_PREFIX, segmentKey } from '../format/object-keys.ts';
import { ObjectWriter } from '../format/object-writer.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import type { StopMemory } from '../merge/stop-memory.ts';
import { pauseMs, RetryPause } from '../store/retry-pause.ts';
import { StoreError, type TimedStore } from '../store/store.ts';

export const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** Whatever the interval, a segment is closed when it has grown to this. */
export const SEGMENT_BYTES_MAX = 4 * 1024 * 1024;
/** The times in a block are 14 bits of seconds, counted back from its end. */
const BLOCK_AGE_SECONDS_MAX = 3_600;
/** A process that is about to end tries more often. */
const CLOSING_PAUSE_MS_MAX = 500;
const CLOSING_FIRST_TRY_MS = 8_000;
/** Longer than any call to a store takes. */
const TRY_MS_MAX = 60_000;

export interface JournalOptions {
  readonly store: TimedStore;
  readonly keys: StoreKeys;
  readonly boot: string;
  /** JOURNAL_SECONDS; 0: nothing is written, only stops are remembered. */
  readonly intervalSeconds: number;
  readonly stops: StopMemory;
  /** Its points go out with what is heard; without it none do. */
  readonly history?: Pick<History, 'ownMinutesAfter' | 'restarts'> | undefined;
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
  readonly retryMs?: number;
  readonly waitingBytesMax?: number;
}

export interface JournalStatus {
  /** Of entries that are not in the store yet. */
  readonly bytesAtRisk: number;
  /** Since the oldest of them was heard; 0 when there is none. */
  readonly secondsAtRisk: number;
  readonly segmentsWritten: number;
  readonly bytesWritten: number;
  readonly segmentsWaiting: number;
  readonly segmentsDropped: number;
  /** When the last segment was stored; undefined before the first. */
  readonly writtenAtSeconds: number | undefined;
}

interface Segment {
  readonly sequence: number;
  readonly blocks: readonly Buffer[];
  readonly bytes: number;
  /** When its first entry was heard. */
  readonly sinceSeconds: number;
  readonly history: WaitingHistory | undefined;
  /** As it goes to the store, made at the first try: a retry puts the same bytes. */
  object?: Uint8Array;
}

/** What of the history no segment has told yet. */
interface WaitingHistory {
  readonly points: HistoryPoints | undefined;
  readonly restarts: number;
}

export class Journal implements AnnounceJournal {
  readonly #options: JournalOptions;
  readonly #writer: JournalEntryWriter;
  readonly #isKept: boolean;
  readonly #waitingBytesMax: number;
  readonly #ending = new AbortController();
  readonly #pause: RetryPause;
  #blocks: Buffer[] = [];
  #blockBytes = 0;
  #sinceSeconds = 0;
  #sequence = 0;
  #waiting: Segment[] = [];
  #waitingBytes = 0;
  #lostSequence = 0;
  /** What segments have told of the history: points up to here, and so many restarts. */
  #toldSeconds = 0;
  #toldRestarts = 0;
  #dropped = 0;
  #written = 0;
  #bytesWritten = 0;
  #writtenAtSeconds: number | undefined;
  #putting: Promise<void> | undefined;
  #wake: AbortController | undefined;
  #try: AbortController | undefined;
  #isClosing = false;
  #isDropping = false;
  /** An interval has ended while segments waited. */
  #isCutDue = false;
  /** Told of each segment that waits no more. */
  readonly #watchers = new Set<() => void>();

  constructor(options: JournalOptions) {
    assertBootId(options.boot);
    this.#options = options;
    this.#isKept = options.intervalSeconds > 0;
    this.#waitingBytesMax = options.waitingBytesMax ?? WAITING_BYTES_MAX;
    this.#pause = new RetryPause(options.retryMs);
    this.#writer = new JournalEntryWriter((block) => this.#keepBlock(block), options.nowSeconds);
  }

  sighted(infoHash: Uint8Array, family: Family, isSeeder: boolean, record: Uint8Array): void {
    if (!this.#isKept) return;
    this.#hear();
    this.#writer.peer(infoHash, family, isSeeder, record);
  }

  stopped(
    infoHash: Uint8Array,
    family: Family,
    endpoint: Uint8Array,
    ageSeconds: number,
    nowSeconds: number,
  ): void {
    const { stops, boot } = this.#options;
    const isSameSecond = ageSeconds === 0;
    stops.note(infoHash, family, endpoint, nowSeconds, isSameSecond, boot, nowSeconds);
    if (!this.#isKept) return;
    this.#hear();
    this.#writer.stop(infoHash, family, endpoint, nowSeconds, isSameSecond);
  }

  completed(infoHash: Uint8Array): void {
    if (!this.#isKept) return;
    this.#hear();
    this.#writer.completions(infoHash, 1);
  }

  get status(): JournalStatus {
    const sinceSeconds = this.#waiting[0]?.sinceSeconds ?? this.#sinceSeconds;
    const bytesAtRisk = this.#waitingBytes + this.#gatheredBytes;
    return {
      bytesAtRisk,
      secondsAtRisk: bytesAtRisk === 0 ? 0 : Math.max(0, this.#options.nowSeconds() - sinceSeconds),
      segmentsWritten: this.#written,
      bytesWritten: this.#bytesWritten,
      segmentsWaiting: this.#waiting.length,
      segmentsDropped: this.#dropped,
      writtenAtSeconds: this.#writtenAtSeconds,
    };
  }

  /** The last segment that had to be dropped, 0 when none was: a snapshot cut after it makes it good. */
  get lostSequence(): number {
    return this.#lostSequence;
  }

  /**
   * An interval is over: closes what has gathered, but while segments wait only once they have gone. So a put that
   * takes longer than the interval makes the next segment larger, and no backlog that grows with each interval.
   */
  tick(): void {
    this.#wake?.abort();
    if (this.#waiting.length === 0) {
      this.cut();
      return;
    }
    this.#isCutDue = true;
    if (this.#writer.ageSeconds > BLOCK_AGE_SECONDS_MAX) this.#writer.flush();
  }

  /** Closes what has gathered, at once. Returns the sequence of the last segment closed so far, 0 before the first. */
  cut(): number {
    this.#isCutDue = false;
    this.#writer.flush();
    return this.#blocks.length === 0 ? this.#sequence : this.#closeSegment(this.#takeHistory());
  }

  #closeSegment(history: WaitingHistory | undefined): number {
    this.#sequence += 1;
    this.#waiting.push({
      sequence: this.#sequence,
      blocks: this.#blocks,
      bytes: this.#blockBytes,
      sinceSeconds: this.#sinceSeconds,
      history,
    });
    this.#waitingBytes += this.#blockBytes;
    this.#blocks = [];
    this.#blockBytes = 0;
    this.#sinceSeconds = this.#options.nowSeconds();
    this.#dropBeyondBound();
    this.#wake?.abort();
    this.#putting ??= this.#putAll();
    return this.#sequence;
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

  /**
   * Cuts, and puts what waits until that is done or the signal fires. Whatever is heard after this call has begun
   * is not written any more.
   */
  async close(signal: AbortSignal): Promise<void> {
    const end = (): void => {
      this.#ending.abort(signal.reason);
      this.#wake?.abort();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    this.#isClosing = true;
    this.cut();
    // Points wait for something that is heard, so that an idle tracker writes nothing; but no longer than this.
    const history = this.#isKept ? this.#takeHistory() : undefined;
    if (history?.points !== undefined) this.#closeSegment(history);
    this.#wake?.abort();
    // A try that hangs on a connection that is dead must not take all the time there is; the next one may have it.
    const patience = setTimeout(() => this.#try?.abort(), CLOSING_FIRST_TRY_MS);
    await this.#putting;
    clearTimeout(patience);
    signal.removeEventListener('abort', end);
    const { bytesAtRisk, secondsAtRisk } = this.status;
    if (bytesAtRisk > 0) {
      this.#options.log.error('The end of the journal is lost: the store did not take it.', {
        bytes: bytesAtRisk,
        seconds: secondsAtRisk,
      });
    }
  }

  get #gatheredBytes(): number {
    return this.#blockBytes + this.#writer.bytes;
  }

  #hear(): void {
    if (this.#blocks.length === 0 && this.#writer.bytes === 0)
      this.#sinceSeconds = this.#options.nowSeconds();
  }

  /** What is to be told of the history, if anything; from now on it counts as told. */
  #takeHistory(): WaitingHistory | undefined {
    const { history } = this.#options;
    if (history === undefined) return undefined;
    const points = history.ownMinutesAfter(this.#toldSeconds);
    if (points === undefined && history.restarts === this.#toldRestarts) return undefined;
    this.#toldSeconds = points?.endSeconds ?? this.#toldSeconds;
    this.#toldRestarts = history.restarts;
    return { points, restarts: history.restarts };
  }

  #keepBlock(block: Buffer): void {
    this.#blocks.push(block);
    this.#blockBytes += block.length;
    if (this.#blockBytes >= SEGMENT_BYTES_MAX) this.cut();
  }

  /** The oldest go first, but not the one that is being put: it may be stored already. */
  #dropBeyondBound(): void {
    let dropped = 0;
    while (this.#waitingBytes > this.#waitingBytesMax && this.#waiting.length > 2) {
      const [oldest] = this.#waiting.splice(1, 1);
      this.#waitingBytes -= oldest!.bytes;
      this.#lostSequence = oldest!.sequence;
      dropped += 1;
    }
    this.#dropped += dropped;
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
        if (this.#isCutDue && this.#waiting.length === 0) this.cut();
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
    this.#putting = undefined; // with no wait since nothing was seen to wait, so that no cut is missed
  }

  async #put(segment: Segment, signal: AbortSignal): Promise<void> {
    const { store, boot, nowSeconds } = this.#options;
    if (!store.isClockKnown) await store.list(`${JOURNAL_PREFIX}${boot}/`, signal);
    const key = segmentKey({ boot, sequence: segment.sequence });
    segment.object ??= await this.#encode(key, segment, signal);
    await store.put(key, segment.object, signal);
    this.#waiting.shift();
    this.#waitingBytes -= segment.bytes;
    if (this.#waiting.length === 0) this.#isDropping = false;
    for (const wake of this.#watchers) wake();
    this.#written += 1;
    this.#bytesWritten += segment.object.length;
    this.#writtenAtSeconds = nowSeconds();
  }

  async #encode(key: string, { blocks, history }: Segment, signal: AbortSignal): Promise<Uint8Array> {
    const { store, keys, monotonicMs } = this.#options;
    const offsetSeconds = store.clockOffsetSeconds;
    const object = new ObjectWriter(ObjectKind.journalSegment, key, keys);
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
