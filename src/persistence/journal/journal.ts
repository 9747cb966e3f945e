/**
 * What this tracker hears, written to the store as segments: entries gather in blocks, each interval `tick` closes
 * what has gathered as the next segment, and closed segments go out one at a time, in their order (rules D-J1,
 * D-J3, D-O3). Nothing heard, nothing written.
 *
 *   announce → entries → blocks ── cut ──► segment waits ──► put under journal/<boot>/<sequence>
 *
 * Promises: an announce costs a copy of its entry; the segment that is gathering holds at most four megabytes. Leaves to
 * segment-queue.ts what becomes of closed segments.
 */
import type { Histogram } from '../../stats/histogram.ts';
import type { History } from '../../stats/history.ts';
import type { Family } from '../../swarm/record.ts';
import type { AnnounceJournal } from '../../tracker/announce-journal.ts';
import { JournalEntryWriter } from '../format/journal-entries.ts';
import { assertBootId } from '../format/object-keys.ts';
import type { StopMemory } from '../merge/stop-memory.ts';
import { SegmentQueue, type SegmentQueueOptions, type WaitingHistory } from './segment-queue.ts';

/** Whatever the interval, a segment is closed when it has grown to this. */
export const SEGMENT_BYTES_MAX = 4 * 1024 * 1024;
/** The times in a block are 14 bits of seconds, counted back from its end. */
const BLOCK_AGE_SECONDS_MAX = 3_600;

export interface JournalOptions extends SegmentQueueOptions {
  /** JOURNAL_SECONDS; 0: nothing is written, only stops are remembered. */
  readonly intervalSeconds: number;
  readonly stops: StopMemory;
  /** Its points go out with what is heard; without it none do. */
  readonly history?: Pick<History, 'ownMinutesAfter' | 'restarts'> | undefined;
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
  /** Of each segment: how long the oldest of its entries had waited when it was stored. */
  readonly waits: Histogram;
}

export class Journal implements AnnounceJournal {
  readonly #options: JournalOptions;
  readonly #writer: JournalEntryWriter;
  readonly #isKept: boolean;
  readonly #queue: SegmentQueue;
  #blocks: Buffer[] = [];
  #blockBytes = 0;
  #sinceSeconds = 0;
  #sequence = 0;
  /** What segments have told of the history: points up to here, and so many restarts. */
  #toldSeconds = 0;
  #toldRestarts = 0;
  /** An interval has ended while segments waited. */
  #isCutDue = false;

  constructor(options: JournalOptions) {
    assertBootId(options.boot);
    this.#options = options;
    this.#isKept = options.intervalSeconds > 0;
    this.#queue = new SegmentQueue(options, () => {
      if (this.#isCutDue) this.cut();
    });
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
    const sinceSeconds = this.#queue.sinceSeconds ?? this.#sinceSeconds;
    const bytesAtRisk = this.#queue.bytes + this.#gatheredBytes;
    return {
      bytesAtRisk,
      secondsAtRisk: bytesAtRisk === 0 ? 0 : Math.max(0, this.#options.nowSeconds() - sinceSeconds),
      segmentsWritten: this.#queue.written,
      bytesWritten: this.#queue.bytesWritten,
      segmentsWaiting: this.#queue.size,
      segmentsDropped: this.#queue.dropped,
      writtenAtSeconds: this.#queue.writtenAtSeconds,
      waits: this.#queue.waits,
    };
  }

  /** The last segment that had to be dropped, 0 when none was: a snapshot cut after it makes it good. */
  get lostSequence(): number {
    return this.#queue.lostSequence;
  }

  /**
   * An interval is over: closes what has gathered, but while segments wait only once they have gone. So a put that
   * takes longer than the interval makes the next segment larger, and no backlog that grows with each interval.
   */
  tick(): void {
    this.#queue.tryNow();
    if (this.#queue.size === 0) {
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
    const segment = {
      sequence: this.#sequence,
      blocks: this.#blocks,
      bytes: this.#blockBytes,
      sinceSeconds: this.#sinceSeconds,
      history,
    };
    this.#blocks = [];
    this.#blockBytes = 0;
    this.#sinceSeconds = this.#options.nowSeconds();
    this.#queue.add(segment);
    return this.#sequence;
  }

  /** Resolves when no segment up to this one waits any more; rejects with the signal's reason when that fires. */
  stored(sequence: number, signal: AbortSignal): Promise<void> {
    return this.#queue.stored(sequence, signal);
  }

  /**
   * Cuts, and puts what waits until that is done or the signal fires. Whatever is heard after this call has begun
   * is not written any more.
   */
  async close(signal: AbortSignal): Promise<void> {
    await this.#queue.drain(signal, () => {
      this.cut();
      // Points wait for something that is heard, so that an idle tracker writes nothing; but no longer than this.
      const history = this.#isKept ? this.#takeHistory() : undefined;
      if (history?.points !== undefined) this.#closeSegment(history);
    });
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
}
