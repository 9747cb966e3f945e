/**
 * Reads the journal segments that other boots have written, and merges each once and in its order into the table
 * (rule D-J2): the restore does so with all that its snapshot does not hold, and then journal-follower.ts with what
 * comes. The vector says, per boot, up to which segment that is done.
 */
import type { Log } from '../../log.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import { ListedObjects } from '../listing/listed-objects.ts';
import type { NewerObjects } from '../listing/newer-objects.ts';
import { isPast, type ListedSegment, listSegments, type Vector } from '../listing/segment-listing.ts';
import { COMPANY_SECONDS } from '../merge/company.ts';
import { noCounts, type RestoreCounts } from '../merge/restore-settings.ts';
import { type MergeSettings, SegmentMerger } from '../merge/segment-merger.ts';
import type { TableTurn } from '../merge/table-turn.ts';
import { inTurn } from '../store/read-ahead.ts';
import type { Store, StoredObject } from '../store/store.ts';

const READS_AHEAD = 4;
/** Each start of a tracker is a boot. More than so many are remembered only while segments of them are listed. */
const BOOTS_MAX = 200;

export interface JournalReaderOptions extends Omit<MergeSettings, 'offsetSeconds'> {
  readonly store: Store;
  readonly newer: NewerObjects;
  /** Of this process: its own segments tell it nothing. */
  readonly boot: string;
  readonly turn: TableTurn;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
}

/** Segments of `boot` up to `sequence` are missing: dropped by their writer, or deleted before they were read. */
export interface Gap {
  readonly boot: string;
  readonly sequence: number;
}

export interface MergeOptions {
  readonly passesGap: (last: ListedSegment) => boolean;
  /** Given each segment that was merged, for what else is in it. */
  readonly onMerged?: (segment: ListedSegment, bytes: Uint8Array) => Promise<void>;
  readonly signal: AbortSignal;
}

export class JournalReader {
  readonly #options: JournalReaderOptions;
  readonly #vector = new Map<string, number>();
  readonly #damaged = new Set<string>();
  /** Segments that no key opens: what their boots wrote from there on waits. */
  readonly #locked = new Map<string, ListedSegment>();
  readonly #newerBoots = new Set<string>();
  readonly #objects: ListedObjects;

  constructor(options: JournalReaderOptions) {
    this.#options = options;
    this.#objects = new ListedObjects(options.store);
  }

  /** Per boot the last segment that is part of the table. */
  get vector(): Vector {
    return this.#vector;
  }

  /** What a vector covers is part of the table from now on. */
  cover(vector: Vector): void {
    for (const [boot, sequence] of vector) {
      if (boot === this.#options.boot) continue;
      this.#advance(boot, Math.max(sequence, this.#vector.get(boot) ?? 0));
    }
  }

  /** The boots heard last stay: one that is forgotten and heard again would seem to have a gap. */
  #advance(boot: string, sequence: number): void {
    this.#vector.delete(boot);
    this.#vector.set(boot, sequence);
  }

  /** Only who has no segment left may be forgotten: those it had would seem unread. */
  #forgetBoots(listed: ReadonlyMap<string, unknown>): void {
    for (const boot of this.#vector.keys()) {
      if (this.#vector.size <= BOOTS_MAX) return;
      if (!listed.has(boot)) this.#vector.delete(boot);
    }
  }

  /** Whether the segment was found damaged; such ones are left as they are. */
  isDamaged(key: string): boolean {
    return this.#damaged.has(key);
  }

  /** Segments in the listing that are not part of the table yet, of each boot in their order. */
  unread(objects: readonly StoredObject[]): readonly ListedSegment[] {
    return [...listSegments(objects).values()]
      .flat()
      .filter((segment) => segment.boot !== this.#options.boot && isPast(segment, this.#vector));
  }

  /**
   * Merges the unread segments of a listing. At a gap it goes on if `passesGap` says so, given the last segment of that
   * boot, else it leaves the rest of the boot for later, as it does at a segment that no key opens or that a later
   * version wrote. Rejects with a StoreError; what was merged till then
   * stays merged.
   *
   * @returns the gaps at which it stopped
   */
  async merge(
    objects: readonly StoredObject[],
    counts: RestoreCounts,
    options: MergeOptions,
  ): Promise<readonly Gap[]> {
    const listed = listSegments(objects);
    const gaps = this.#gapsIn(objects);
    for (const [boot] of gaps) if (options.passesGap(listed.get(boot)!.at(-1)!)) gaps.delete(boot);
    this.#forgetLocked(objects);
    const segments = this.unread(objects).filter(
      ({ boot, sequence }) => !this.#isLeft(boot) && sequence <= (gaps.get(boot)?.at ?? sequence),
    );
    for await (const [segment, bytes] of this.#read(segments, options.signal)) {
      await this.#mergeOne(segment, bytes, counts, options.onMerged);
    }
    this.#forgetBoots(listed);
    return [...gaps].map(([boot, { sequence }]) => ({ boot, sequence }));
  }

  /**
   * Remembers the stops of the last minutes that the table knows already, so that what another tracker stores late does
   * not bring those peers back (rule D-S4). For a restart: the memory of stops is not saved. What a single writer has
   * written is in its order, so then there is nothing to remember. Rejects with a StoreError.
   */
  async rememberStops(objects: readonly StoredObject[], signal: AbortSignal): Promise<void> {
    const { store, nowSeconds, boot, monotonicMs } = this.#options;
    const sinceSeconds = nowSeconds() + store.clockOffsetSeconds - COMPANY_SECONDS;
    const recent = [...listSegments(objects).values()]
      .flat()
      .filter((one) => one.boot !== boot && one.lastModifiedSeconds >= sinceSeconds);
    if (new Set(recent.map((one) => one.boot)).size < 2) return;
    const known = recent.filter((one) => !isPast(one, this.#vector));
    for await (const [segment, bytes] of this.#read(known, signal)) {
      if (bytes === undefined) continue;
      const settings = { ...this.#options, offsetSeconds: store.clockOffsetSeconds };
      const merger = new SegmentMerger(bytes, segment, settings, noCounts(), { onlyStops: true });
      await runInSlices(() => merger.step(), { monotonicMs, signal });
    }
  }

  /** The first segment of the last listing that is sealed with a key that is not in STORE_KEY. */
  get firstLocked(): string | undefined {
    return this.#locked.values().next().value?.key;
  }

  /** Of these boots nothing more can be read for now, or by this version. */
  #isLeft(boot: string): boolean {
    return this.#locked.has(boot) || this.#newerBoots.has(boot);
  }

  #forgetLocked(objects: readonly StoredObject[]): void {
    const listed = new Set(objects.map(({ key }) => key));
    for (const segment of this.#locked.values()) {
      if (!listed.has(segment.key) || !isPast(segment, this.#vector)) this.#locked.delete(segment.boot);
    }
  }

  /** The first gap of each boot: `at` is the last segment before it, `sequence` the last that is missing. */
  #gapsIn(objects: readonly StoredObject[]): Map<string, { at: number; sequence: number }> {
    const gaps = new Map<string, { at: number; sequence: number }>();
    const last = new Map(this.#vector);
    for (const { boot, sequence } of this.unread(objects)) {
      const at = last.get(boot) ?? 0;
      if (sequence !== at + 1 && !gaps.has(boot)) gaps.set(boot, { at, sequence: sequence - 1 });
      last.set(boot, sequence);
    }
    return gaps;
  }

  /** All of it or nothing: a half that is merged would be counted again. So no signal ends it. */
  async #mergeOne(
    segment: ListedSegment,
    bytes: Uint8Array | undefined,
    counts: RestoreCounts,
    onMerged: MergeOptions['onMerged'],
  ): Promise<void> {
    const { turn, store, monotonicMs } = this.#options;
    await turn.take(async () => {
      if (this.#isLeft(segment.boot)) return;
      if (bytes !== undefined) {
        const settings = { ...this.#options, offsetSeconds: store.clockOffsetSeconds };
        const merger = new SegmentMerger(bytes, segment, settings, counts);
        await runInSlices(() => merger.step(), { monotonicMs });
        if (merger.state === 'locked') {
          this.#locked.set(segment.boot, segment);
          return;
        }
        if (merger.state === 'newer') {
          this.#foundNewer(segment);
          // A snapshot must not say that it holds what nobody could read.
          if (!merger.hasMerged) {
            this.#newerBoots.add(segment.boot);
            return;
          }
        } else if (merger.state === 'damaged') this.#foundDamaged(segment, merger.damage);
      }
      this.#advance(segment.boot, segment.sequence);
      if (bytes !== undefined) await onMerged?.(segment, bytes);
    });
  }

  /** Each segment with its bytes, undefined for one that is damaged as a whole. */
  #read(
    segments: readonly ListedSegment[],
    signal: AbortSignal,
  ): AsyncGenerator<readonly [ListedSegment, Uint8Array | undefined]> {
    const get = async (segment: ListedSegment): Promise<Uint8Array | undefined> => {
      const read = await this.#objects.get(segment, signal);
      if (read.what !== undefined) this.#foundDamaged(segment, read.what);
      return read.bytes;
    };
    return inTurn(segments, get, READS_AHEAD);
  }

  #foundDamaged({ key }: ListedSegment, what: string | undefined): void {
    if (this.#damaged.has(key)) return;
    this.#damaged.add(key);
    this.#options.log.error(
      'A journal segment is damaged; what is valid of it is used, and it is left as it is.',
      {
        segment: key,
        what,
      },
    );
  }

  #foundNewer({ key }: ListedSegment): void {
    if (!this.#options.newer.add(key)) return;
    this.#options.log.warn(
      'A journal segment was written by a later version of the tracker; it is left as it is.',
      { segment: key },
    );
  }
}
