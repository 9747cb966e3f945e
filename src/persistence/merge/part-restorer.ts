/**
 * Brings the valid blocks of one snapshot part back into the table, a step at a time. Peers go in at once: each is
 * true by itself, whatever became of the rest. Completed downloads are only gathered, because they are added up
 * and must come from one whole snapshot (rule D-R2).
 */
import type { UniqueAddresses } from '../../stats/unique-addresses.ts';
import { ENDPOINT_BYTES, FLAG_BITS, PORT_BYTES, RECORD_BYTES } from '../../swarm/record.ts';
import { Outcome, type SwarmTable } from '../../swarm/swarm-table.ts';
import { EntryBlocks } from '../format/entry-blocks.ts';
import type { ObjectState } from '../format/object-reader.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import { SNAPSHOT_PART, type SwarmEntryReader } from '../format/swarm-entries.ts';
import type { StopMemory } from './stop-memory.ts';

/** What a restore needs of the table. */
export type SwarmDestination = Pick<
  SwarmTable,
  | 'changes'
  | 'swarmsMax'
  | 'slotsInUse'
  | 'find'
  | 'open'
  | 'expectSwarms'
  | 'expectPeers'
  | 'restoreTotals'
  | 'raiseTotals'
  | 'restorePeer'
>;

export interface RestoreSettings {
  readonly table: SwarmDestination;
  /** False for a hash that must not come back. */
  readonly isServed: (infoHash: Uint8Array) => boolean;
  readonly peerTtlSeconds: number;
  /** Who must not come back. */
  readonly stops: StopMemory;
  /** Counts each restored peer's address as if it had been heard. */
  readonly addresses: Pick<UniqueAddresses, 'add'>;
  readonly nowSeconds: () => number;
  /** What was added to this machine's times to make them the store's. */
  readonly offsetSeconds: number;
  readonly keys: StoreKeys;
}

/** What became of the peers that were read. */
export interface RestoreCounts {
  peersRestored: number;
  /** Not heard for longer than PEER_TTL. */
  peersExpired: number;
  /** The table had no room. */
  peersLeftOut: number;
  peersNotServed: number;
  /** Stopped since (rule D-S4). */
  peersStopped: number;
}

export function noCounts(): RestoreCounts {
  return { peersRestored: 0, peersExpired: 0, peersLeftOut: 0, peersNotServed: 0, peersStopped: 0 };
}

/** One step restores about so many. */
const PEERS_PER_STEP = 64;
/** Restored swarms fill the table up to here, so that none has to push out one that is live. */
const SWARMS_SHARE_MAX = 0.95;

export class PartRestorer {
  readonly #settings: RestoreSettings;
  readonly #counts: RestoreCounts;
  readonly #totals: HeldTotals;
  readonly #blocks: EntryBlocks<SwarmEntryReader>;
  #entries: SwarmEntryReader | undefined;
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
    for (let entry = 0; entry < PEERS_PER_STEP; entry++) {
      const entries = this.#entries;
      if (!entries?.next()) {
        this.#entries = this.#blocks.next();
        return this.#entries !== undefined;
      }
      if (entries.isRun) this.#restoreRun(entries);
      else if (entries.completed > 0) this.#holdTotal(entries);
      if (this.#counts.peersRestored - before >= PEERS_PER_STEP) return true;
    }
    return true;
  }

  #holdTotal({ infoHash, completed, lastActivitySeconds }: SwarmEntryReader): void {
    this.#totals.add(infoHash, completed, lastActivitySeconds - this.#settings.offsetSeconds);
  }

  #restoreRun(entries: SwarmEntryReader): void {
    const { table, addresses, stops, isServed, peerTtlSeconds, nowSeconds, offsetSeconds } = this.#settings;
    const { raw, family, seeders, infoHash } = entries;
    const count = seeders + entries.leechers;
    if (!isServed(infoHash)) {
      this.#counts.peersNotServed += count;
      return;
    }
    const now = nowSeconds();
    const recordBytes = RECORD_BYTES[family]!;
    const seenAt = ENDPOINT_BYTES[family]!;
    let slot = -1;
    for (let index = 0, at = entries.recordsAt; index < count; index++, at += recordBytes) {
      const seen = Math.min(entries.lastSeenSeconds(at) - offsetSeconds, now);
      if (now - seen > peerTtlSeconds) {
        this.#counts.peersExpired += 1;
        continue;
      }
      if (
        stops.size > 0 &&
        stops.hasStoppedSince(infoHash, family, raw.subarray(at, at + seenAt), seen, undefined)
      ) {
        this.#counts.peersStopped += 1;
        continue;
      }
      if (slot < 0) {
        slot = openIfRoom(table, infoHash, now);
        table.expectPeers(slot, family, this.#fresh(entries, at, count - index, now));
      }
      const flags = (raw[at + seenAt + 1]! << 8) & FLAG_BITS;
      const isFull =
        slot < 0 ||
        table.restorePeer(slot, family, index < seeders, flags, seen, raw, at, now, peerTtlSeconds) ===
          Outcome.refused;
      if (isFull) {
        this.#counts.peersLeftOut += count - index;
        return;
      }
      const address = this.#addresses[family];
      for (let byte = 0; byte < address.length; byte++) address[byte] = raw[at + byte]!;
      addresses.add(address, now);
      this.#counts.peersRestored += 1;
    }
  }

  /** Of so many records from byte `at`, those that have not expired; the first has not. */
  #fresh(entries: SwarmEntryReader, at: number, count: number, now: number): number {
    if (count === 1) return 1;
    const { peerTtlSeconds, offsetSeconds } = this.#settings;
    const recordBytes = RECORD_BYTES[entries.family]!;
    let fresh = 0;
    for (let index = 0; index < count; index++) {
      const seen = entries.lastSeenSeconds(at + index * recordBytes) - offsetSeconds;
      if (now - seen <= peerTtlSeconds) fresh += 1;
    }
    return fresh;
  }
}

/**
 * Saved counts of completed downloads, 28 bytes each, until it is known that all of them can be believed. They are
 * added to what was counted since the start; or, when they are of a table that knew of that too, the greater counts
 * (rule D-J4).
 */
export class HeldTotals {
  readonly #isGreaterWins: boolean;
  readonly #chunks: Buffer[] = [];
  #at = HELD_CHUNK_BYTES;
  #applied = 0;
  /** All counts together. */
  completed = 0;

  constructor({ isGreaterWins = false } = {}) {
    this.#isGreaterWins = isGreaterWins;
  }

  add(infoHash: Uint8Array, completed: number, lastActivitySeconds: number): void {
    if (this.#at === HELD_CHUNK_BYTES) {
      this.#chunks.push(Buffer.alloc(HELD_CHUNK_BYTES));
      this.#at = 0;
    }
    const chunk = this.#chunks.at(-1)!;
    this.completed += completed;
    chunk.set(infoHash, this.#at);
    chunk.writeUInt32LE(completed, this.#at + 20);
    chunk.writeUInt32LE(Math.max(0, lastActivitySeconds), this.#at + 24);
    this.#at += HELD_BYTES;
  }

  /** Gives the next count to the table; false when none is left. */
  step(settings: RestoreSettings): boolean {
    const chunk = this.#chunks[0];
    if (chunk === undefined || (this.#chunks.length === 1 && this.#applied === this.#at)) return false;
    const at = this.#applied;
    const infoHash = chunk.subarray(at, at + 20);
    if (settings.isServed(infoHash)) {
      const now = settings.nowSeconds();
      const slot = openIfRoom(settings.table, infoHash, now);
      if (slot >= 0) {
        const completed = chunk.readUInt32LE(at + 20);
        if (this.#isGreaterWins) settings.table.raiseTotals(slot, completed, now);
        else settings.table.restoreTotals(slot, completed, chunk.readUInt32LE(at + 24), now);
      }
    }
    this.#applied += HELD_BYTES;
    if (this.#applied === HELD_CHUNK_BYTES) {
      this.#chunks.shift();
      this.#applied = 0;
    }
    return true;
  }
}

const HELD_BYTES = 28;
const HELD_CHUNK_BYTES = 4_096 * HELD_BYTES;

/** The slot of the swarm, made when there is room; -1 rather than pushing out another. */
export function openIfRoom(table: SwarmDestination, infoHash: Uint8Array, now: number): number {
  const hasRoom = table.slotsInUse < table.swarmsMax * SWARMS_SHARE_MAX;
  return hasRoom ? table.open(infoHash, now) : table.find(infoHash);
}
