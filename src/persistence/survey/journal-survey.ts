/**
 * What of the journal lies past a snapshot, boot by boot, for people who look at a store and for going back to a moment;
 * and whether every byte of it is well. Changes nothing.
 */
import { runInSlices } from '../../slices.ts';
import { EntryBlocks } from '../format/entry-blocks.ts';
import { JOURNAL_SEGMENT, type JournalEntryReader } from '../format/journal-entries.ts';
import { JOURNAL_PREFIX, segmentKey } from '../format/object-keys.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import { isPast, type ListedSegment, listSegments, type Vector } from '../listing/segment-listing.ts';
import { readAhead } from '../store/read-ahead.ts';
import type { Store, StoredObject } from '../store/store.ts';
import { type ObjectProblem, problemOf } from './object-problem.ts';
import type { CheckOptions } from './snapshot-check.ts';

/** The segments of one boot that a vector does not cover, in their order; at least one. */
export interface BootJournal {
  readonly boot: string;
  readonly segments: readonly ListedSegment[];
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
  /** Sequences that are not listed, from the vector on. */
  readonly missing: readonly number[];
}

/** Missing sequences are named up to so many. */
const MISSING_MAX = 1_000;

/** `objects`: a listing of the journal. */
export function journalPast(objects: readonly StoredObject[], vector: Vector): readonly BootJournal[] {
  return [...listSegments(objects)].flatMap(([boot, all]) => {
    const segments = all.filter((segment) => isPast(segment, vector));
    if (segments.length === 0) return [];
    const first = segments[0]!.sequence;
    const last = segments.at(-1)!.sequence;
    const listed = new Set(segments.map(({ sequence }) => sequence));
    const missing: number[] = [];
    for (let at = (vector.get(boot) ?? 0) + 1; at < last && missing.length < MISSING_MAX; at++) {
      if (!listed.has(at)) missing.push(at);
    }
    return [{ boot, segments, bytes: bytesOf(segments), first, last, missing }];
  });
}

function bytesOf(segments: readonly ListedSegment[]): number {
  return segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** "segments 4, 5 of boot 1f9a…" as a problem of the first of them; none when none is missing. */
export function missingSegments(journal: readonly BootJournal[]): readonly ObjectProblem[] {
  return journal.flatMap(({ boot, missing }) => {
    const [first] = missing;
    if (first === undefined) return [];
    const more = missing.length === 1 ? '' : `, and ${missing.length - 1} more after it`;
    return [{ key: segmentKey({ boot, sequence: first }), what: `it is missing${more}` }];
  });
}

export interface JournalCheck {
  readonly segments: number;
  readonly bytesRead: number;
  readonly problems: readonly ObjectProblem[];
}

/** Reads every segment in the store. Rejects with a StoreError when the store fails. */
export async function checkJournal(store: Store, options: CheckOptions): Promise<JournalCheck> {
  const listed = [...listSegments(await store.list(JOURNAL_PREFIX, options.signal)).values()].flat();
  const problems: ObjectProblem[] = [];
  let [segments, bytesRead] = [0, 0];
  const objectKeys = listed.map(({ key }) => key);
  for await (const { key, bytes } of readAhead(store, objectKeys, options.signal)) {
    if (bytes === undefined) continue; // no longer needed since it was listed
    const segment = new SegmentCheck(key, bytes, options.keys);
    await runInSlices(() => segment.step(), options);
    const what = problemOf(segment.blocks);
    if (what !== undefined) problems.push({ key, what });
    segments += 1;
    bytesRead += bytes.length;
    options.onRead?.(bytes.length);
  }
  return { segments, bytesRead, problems };
}

/** Reads one segment, a block a step, and knows when its last entry was heard. */
export class SegmentCheck {
  readonly blocks: EntryBlocks<JournalEntryReader>;
  /** By the store's clock; 0 when it has no entry with a time. */
  lastSeconds = 0;

  constructor(objectKey: string, bytes: Uint8Array, keys: StoreKeys) {
    this.blocks = new EntryBlocks(JOURNAL_SEGMENT, objectKey, bytes, keys);
  }

  /** False at the end. */
  step(): boolean {
    const entries = this.blocks.next();
    if (entries === undefined) return false;
    while (entries.next()) {
      if (entries.kind !== 'completions') this.lastSeconds = Math.max(this.lastSeconds, entries.seconds);
    }
    return true;
  }
}
