/**
 * Brings one journal segment into the table, a step at a time, after a restart or from another tracker (rules D-J2,
 * D-S4): of a peer the newest sighting counts, a stop ends what was heard before it, completed downloads are added.
 *
 * Within a second: what a writer wrote later counts more than what it wrote before, and between two writers a
 * sighting beats a stop, unless the stop's writer had itself heard the peer in that second before. (So no record
 * needs to say who wrote it.)
 */
import { ENDPOINT_BYTES, FLAG_BITS, PORT_BYTES } from '../../swarm/record.ts';
import { Outcome, type SwarmTable } from '../../swarm/swarm-table.ts';
import { EntryBlocks } from '../format/entry-blocks.ts';
import { JOURNAL_SEGMENT, type JournalEntryReader } from '../format/journal-entries.ts';
import type { ObjectState } from '../format/object-reader.ts';
import type { ListedSegment } from '../listing/segment-listing.ts';
import { openIfRoom, type RestoreCounts, type RestoreSettings } from './restore-settings.ts';

/** What a merge needs of the table. */
export type MergeDestination = RestoreSettings['table'] &
  Pick<SwarmTable, 'addCompletions' | 'addCompletedEver' | 'forgetHeardBy'>;

export interface MergeSettings extends RestoreSettings {
  readonly table: MergeDestination;
  /** Nothing that was heard later than this second of the store's clock is merged. */
  readonly untilSeconds?: number;
}

const ENTRIES_PER_STEP = 16;

export class SegmentMerger {
  readonly #settings: MergeSettings;
  readonly #counts: RestoreCounts;
  readonly #writer: string;
  readonly #onlyStops: boolean;
  readonly #untilSeconds: number;
  readonly #blocks: EntryBlocks<JournalEntryReader>;
  #entries: JournalEntryReader | undefined;
  /** An entry was met that is later than `untilSeconds`; its writer heard all that follows later still. */
  hasReachedUntil = false;
  /** Whether any entry of it has been looked at. */
  hasMerged = false;

  /** With `onlyStops` the table is left as it is, and only its stops are remembered. */
  constructor(
    bytes: Uint8Array,
    segment: ListedSegment,
    settings: MergeSettings,
    counts: RestoreCounts,
    { onlyStops = false } = {},
  ) {
    this.#settings = settings;
    this.#onlyStops = onlyStops;
    this.#counts = counts;
    this.#writer = segment.boot;
    this.#untilSeconds = settings.untilSeconds ?? Number.POSITIVE_INFINITY;
    this.#blocks = new EntryBlocks(JOURNAL_SEGMENT, segment.key, bytes, settings.keys);
  }

  /** Meaningful once `step` has returned false. */
  get state(): ObjectState {
    return this.#blocks.state;
  }

  get damage(): string | undefined {
    return this.#blocks.damage;
  }

  /** Unpacks a block or merges a few entries; false at the end. */
  step(): boolean {
    for (let done = 0; done < ENTRIES_PER_STEP; done++) {
      const entries = this.#entries;
      if (!entries?.next()) {
        this.#entries = this.#blocks.next();
        return this.#entries !== undefined;
      }
      if (entries.kind !== 'completions' && entries.seconds > this.#untilSeconds) {
        this.hasReachedUntil = true;
        return false;
      }
      this.#merge(entries);
    }
    return true;
  }

  #merge(entries: JournalEntryReader): void {
    this.hasMerged = true;
    const { isServed, nowSeconds, offsetSeconds } = this.#settings;
    const now = nowSeconds();
    // Its writer's clock may be ahead: nobody was heard in the future.
    const seconds = Math.min(entries.seconds - offsetSeconds, now);
    if (entries.kind === 'stop') this.#mergeStop(entries, seconds, now);
    else if (this.#onlyStops) return;
    else if (entries.kind === 'completions') this.#mergeCompletions(entries, now);
    else if (isServed(entries.infoHash)) this.#mergePeer(entries, seconds, now);
    else this.#counts.peersNotServed += 1;
  }

  #mergePeer(entries: JournalEntryReader, seen: number, now: number): void {
    const { table, stops, addresses, peerTtlSeconds } = this.#settings;
    const { raw, infoHash, family, isSeeder, bodyAt } = entries;
    const seenAt = bodyAt + ENDPOINT_BYTES[family]!;
    if (now - seen > peerTtlSeconds) {
      this.#counts.peersExpired += 1;
      return;
    }
    if (stops.hasStoppedSince(infoHash, family, raw.subarray(bodyAt, seenAt), seen, this.#writer)) {
      this.#counts.peersStopped += 1;
      return;
    }
    const flags = raw.readUInt16LE(seenAt) & FLAG_BITS;
    const slot = openIfRoom(table, infoHash, now);
    const isFull =
      slot < 0 ||
      table.restorePeer(slot, family, isSeeder, flags, seen, raw, bodyAt, now, peerTtlSeconds, true) ===
        Outcome.refused;
    if (isFull) {
      this.#counts.peersLeftOut += 1;
      return;
    }
    addresses.add(raw.subarray(bodyAt, seenAt - PORT_BYTES), now);
    this.#counts.peersRestored += 1;
  }

  #mergeStop(entries: JournalEntryReader, stopped: number, now: number): void {
    const { table, stops } = this.#settings;
    const { raw, infoHash, family, isSameSecond, bodyAt } = entries;
    const endpoint = raw.subarray(bodyAt, bodyAt + ENDPOINT_BYTES[family]!);
    stops.note(infoHash, family, endpoint, stopped, isSameSecond, this.#writer, now);
    if (this.#onlyStops) return;
    const slot = table.find(infoHash);
    if (slot >= 0) table.forgetHeardBy(slot, family, raw, bodyAt, stopped, isSameSecond, now);
  }

  #mergeCompletions({ infoHash, count }: JournalEntryReader, now: number): void {
    const { table, isServed } = this.#settings;
    table.addCompletedEver(count);
    const slot = isServed(infoHash) ? openIfRoom(table, infoHash, now) : -1;
    if (slot >= 0) table.addCompletions(slot, count, now);
  }
}
