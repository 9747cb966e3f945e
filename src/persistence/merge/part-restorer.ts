/**
 * Brings the valid blocks of one snapshot part back into the table, a step at a time. Peers go in at once: each is
 * true by itself, whatever became of the rest. Completed downloads are only gathered, because they are added up
 * and must come from one whole snapshot (rule D-R2).
 */
import { AGE_SECONDS_MAX, ENDPOINT_BYTES, FLAG_BITS, PORT_BYTES, RECORD_BYTES } from '../../swarm/record.ts';
import { Outcome } from '../../swarm/swarm-table.ts';
import { EntryBlocks } from '../format/entry-blocks.ts';
import type { ObjectState } from '../format/object-reader.ts';
import { SNAPSHOT_PART, type SwarmEntryReader } from '../format/swarm-entries.ts';
import type { HeldTotals } from './held-totals.ts';
import { openIfRoom, type RestoreCounts, type RestoreSettings } from './restore-settings.ts';

/** One step restores about so many. */
const PEERS_PER_STEP = 64;

export class PartRestorer {
  readonly #settings: RestoreSettings;
  readonly #counts: RestoreCounts;
  readonly #totals: HeldTotals;
  readonly #blocks: EntryBlocks<SwarmEntryReader>;
  #entries: SwarmEntryReader | undefined;
  /** What is left of the run at hand. */
  #seeders = 0;
  #leechers = 0;
  #lastSeenSeconds = 0;
  /** Of the peer at hand, by family. */
  readonly #addresses = ENDPOINT_BYTES.map((bytes) => new Uint8Array(bytes - PORT_BYTES));

  /** `objectKey` is where the bytes were read. */
  constructor(
    objectKey: string,
    bytes: Uint8Array,
    settings: RestoreSettings,
    counts: RestoreCounts,
    totals: HeldTotals,
  ) {
    this.#settings = settings;
    this.#counts = counts;
    this.#totals = totals;
    this.#blocks = new EntryBlocks(SNAPSHOT_PART, objectKey, bytes, settings.keys);
  }

  /** Meaningful once `step` has returned false. */
  get state(): ObjectState {
    return this.#blocks.state;
  }

  get damage(): string | undefined {
    return this.#blocks.damage;
  }

  /** Swarms and peers that the part says it holds. */
  get swarms(): number {
    return this.#blocks.firstCount;
  }

  get peers(): number {
    return this.#blocks.secondCount;
  }

  /** Unpacks a block or restores some entries; false at the end. */
  step(): boolean {
    const { peersRestored: before } = this.#counts;
    const now = this.#settings.nowSeconds();
    for (let entry = 0; entry < PEERS_PER_STEP; entry++) {
      const entries = this.#entries;
      if (!entries?.next()) {
        this.#entries = this.#blocks.next();
        return this.#entries !== undefined;
      }
      if (entries.isRun) this.#restoreRun(entries, now);
      else if (entries.completed > 0) this.#holdTotal(entries);
      if (this.#counts.peersRestored - before >= PEERS_PER_STEP) return true;
    }
    return true;
  }

  #holdTotal({ infoHash, completed, lastActivitySeconds }: SwarmEntryReader): void {
    this.#totals.add(infoHash, completed, lastActivitySeconds - this.#settings.offsetSeconds);
  }

  #restoreRun(entries: SwarmEntryReader, now: number): void {
    const { table, isServed } = this.#settings;
    const { raw, family, infoHash, recordsAt } = entries;
    if (!isServed(infoHash)) {
      this.#counts.peersNotServed += entries.seeders + entries.leechers;
      return;
    }
    this.#keepFresh(entries, now);
    const seeders = this.#seeders;
    const count = seeders + this.#leechers;
    if (count === 0) return;
    const slot = openIfRoom(table, infoHash, now);
    const isAtOnce =
      slot >= 0 &&
      table.restoreSwarm(slot, family, seeders, this.#leechers, raw, recordsAt, this.#lastSeenSeconds, now);
    const restored = isAtOnce ? count : slot < 0 ? 0 : this.#restoreEach(entries, slot, now);
    this.#countAddresses(entries, restored, now);
    this.#counts.peersRestored += restored;
    this.#counts.peersLeftOut += count - restored;
  }

  /**
   * Leaves of the records of a run those who may come back, side by side from where they began, seeders first, with times
   * of this tracker's clock: as the table has them.
   */
  #keepFresh(entries: SwarmEntryReader, now: number): void {
    const { stops, peerTtlSeconds, offsetSeconds } = this.#settings;
    const { raw, family, infoHash, recordsAt, seeders } = entries;
    const count = seeders + entries.leechers;
    const recordBytes = RECORD_BYTES[family]!;
    const endpointBytes = ENDPOINT_BYTES[family]!;
    this.#seeders = 0;
    this.#leechers = 0;
    this.#lastSeenSeconds = 0;
    let to = recordsAt;
    for (let index = 0, at = recordsAt; index < count; index++, at += recordBytes) {
      const seen = Math.min(entries.lastSeenSeconds(at) - offsetSeconds, now);
      if (now - seen > peerTtlSeconds) {
        this.#counts.peersExpired += 1;
        continue;
      }
      if (
        stops.size > 0 &&
        stops.hasStoppedSince(infoHash, family, raw.subarray(at, at + endpointBytes), seen, undefined)
      ) {
        this.#counts.peersStopped += 1;
        continue;
      }
      if (to !== at) raw.copyWithin(to, at, at + recordBytes);
      const seenAt = to + endpointBytes;
      const word = ((raw[seenAt + 1]! << 8) & FLAG_BITS) | (seen & AGE_SECONDS_MAX);
      raw[seenAt] = word;
      raw[seenAt + 1] = word >>> 8;
      if (index < seeders) this.#seeders += 1;
      else this.#leechers += 1;
      if (seen > this.#lastSeenSeconds) this.#lastSeenSeconds = seen;
      to += recordBytes;
    }
  }

  /** One after the other, because some may be there already; returns how many there was room for. */
  #restoreEach({ raw, family, recordsAt }: SwarmEntryReader, slot: number, now: number): number {
    const { table, peerTtlSeconds } = this.#settings;
    const count = this.#seeders + this.#leechers;
    const recordBytes = RECORD_BYTES[family]!;
    for (let index = 0, at = recordsAt; index < count; index++, at += recordBytes) {
      const word = raw.readUInt16LE(at + ENDPOINT_BYTES[family]!);
      const seen = now - ((now - word) & AGE_SECONDS_MAX);
      const outcome = table.restorePeer(
        slot,
        family,
        index < this.#seeders,
        word & FLAG_BITS,
        seen,
        raw,
        at,
        now,
        peerTtlSeconds,
      );
      if (outcome === Outcome.refused) return index;
    }
    return count;
  }

  #countAddresses({ raw, family, recordsAt }: SwarmEntryReader, count: number, now: number): void {
    const { addresses } = this.#settings;
    const address = this.#addresses[family];
    const end = recordsAt + count * RECORD_BYTES[family]!;
    for (let at = recordsAt; at < end; at += RECORD_BYTES[family]!) {
      for (let byte = 0; byte < address.length; byte++) address[byte] = raw[at + byte]!;
      addresses.add(address, now);
    }
  }
}
