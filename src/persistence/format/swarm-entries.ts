/**
 * What the blocks of a snapshot part hold: swarms and runs of packed peer records (docs/storage-format.md).
 *
 *   block content | base seconds 4 | entry | entry | … |
 *   swarm         | kind 1 | info hash 20 or none | completed 4 or none | last activity seconds 4 |
 *   run           | kind 1 | info hash 20 or none | seeders 2 | leechers 2 | record | record | … |
 *
 * A record is as it lies in memory (28 or 40 bytes), but its 14 bits of last-seen seconds are by the store's clock
 * and are read with the block's base, which is an absolute time (rule D-O6). A block needs no other block to be
 * read. Leaves to the callers what blocks go into and what becomes of the peers.
 */
import { INFO_HASH_BYTES } from '../../protocol/info-hash.ts';
import {
  AGE_SECONDS_MAX,
  ENDPOINT_BYTES,
  type Family,
  IPV4,
  IPV6,
  RECORD_BYTES,
} from '../../swarm/record.ts';
import type { EntryFormat } from './entry-blocks.ts';
import { BLOCK_RAW_BYTES, BlockTag, ObjectKind } from './object-format.ts';

const SWARM = 1;
const RUN = 2;
const KIND_BITS = 0x0f;
const IS_IPV6 = 0x10;
/** The info hash is that of the entry before it in the same block, and left out. */
const SAME_HASH = 0x20;
/** Nobody has completed: the count is left out. */
const NONE_COMPLETED = 0x40;

const BASE_BYTES = 4;
/** Fewer bytes are copied one by one. */
const LOOP_BYTES_MAX = 256;
/** Times up to this far past the base are read as such; the rest of the 16,384 seconds lies before it. */
const AFTER_BASE_SECONDS_MAX = 2_048;

/** Gathers entries into blocks, and gives each full block to `emit`; the view is valid only during the call. */
export class SwarmEntryWriter {
  readonly #emit: (raw: Uint8Array) => void;
  readonly #storeSeconds: () => number;
  readonly #offsetSeconds: number;
  readonly #raw = Buffer.alloc(BLOCK_RAW_BYTES);
  readonly #lastHash = new Uint8Array(INFO_HASH_BYTES);
  #hasLastHash = false;
  #at = BASE_BYTES;

  /** `offsetSeconds` is added to every time, `nowSeconds` is this machine's clock. */
  constructor(options: {
    readonly emit: (raw: Uint8Array) => void;
    readonly nowSeconds: () => number;
    readonly offsetSeconds: number;
  }) {
    this.#emit = options.emit;
    this.#offsetSeconds = options.offsetSeconds;
    this.#storeSeconds = () => options.nowSeconds() + options.offsetSeconds;
  }

  swarm(infoHash: Uint8Array, completed: number, lastActivitySeconds: number): void {
    this.#reserve(1 + INFO_HASH_BYTES + 8);
    this.#head(SWARM | (completed === 0 ? NONE_COMPLETED : 0), infoHash);
    if (completed !== 0) this.#word(completed);
    this.#word(lastActivitySeconds + this.#offsetSeconds);
  }

  /** Writes as many entries as the records need: none is larger than what is left of a block. */
  run(
    infoHash: Uint8Array,
    family: Family,
    seeders: number,
    leechers: number,
    records: Uint8Array,
    at: number,
  ): void {
    const recordBytes = RECORD_BYTES[family]!;
    const overhead = 1 + INFO_HASH_BYTES + 4;
    for (let done = 0, count = seeders + leechers; done < count; ) {
      this.#reserve(overhead + recordBytes);
      const fit = Math.floor((this.#raw.length - this.#at - overhead) / recordBytes);
      const taken = Math.min(fit, count - done);
      const takenSeeders = Math.max(0, Math.min(taken, seeders - done));
      this.#head(RUN | (family === IPV6 ? IS_IPV6 : 0), infoHash);
      this.#word(takenSeeders | ((taken - takenSeeders) << 16));
      this.#copy(records, at + done * recordBytes, taken * recordBytes);
      if (this.#offsetSeconds !== 0) this.#shiftTimes(this.#at + ENDPOINT_BYTES[family]!, taken, recordBytes);
      this.#at += taken * recordBytes;
      done += taken;
    }
  }

  /** Gives out what has gathered, if anything. */
  flush(): void {
    if (this.#at === BASE_BYTES) return;
    this.#raw.writeUInt32LE(this.#storeSeconds() >>> 0, 0);
    this.#emit(this.#raw.subarray(0, this.#at));
    this.#at = BASE_BYTES;
    this.#hasLastHash = false;
  }

  #head(kind: number, infoHash: Uint8Array): void {
    const isSame = this.#hasLastHash && isSameHash(this.#lastHash, infoHash);
    this.#raw[this.#at] = kind | (isSame ? SAME_HASH : 0);
    this.#at += 1;
    if (isSame) return;
    for (let index = 0; index < INFO_HASH_BYTES; index++) this.#lastHash[index] = infoHash[index]!;
    this.#hasLastHash = true;
    this.#copy(infoHash, 0, INFO_HASH_BYTES);
    this.#at += INFO_HASH_BYTES;
  }

  #word(value: number): void {
    const raw = this.#raw;
    raw[this.#at] = value;
    raw[this.#at + 1] = value >>> 8;
    raw[this.#at + 2] = value >>> 16;
    raw[this.#at + 3] = value >>> 24;
    this.#at += 4;
  }

  /** To the place that is next; most swarms have so few bytes that a view of them would cost more than the copy. */
  #copy(bytes: Uint8Array, from: number, count: number): void {
    const raw = this.#raw;
    const to = this.#at;
    if (count > LOOP_BYTES_MAX) raw.set(bytes.subarray(from, from + count), to);
    else for (let index = 0; index < count; index++) raw[to + index] = bytes[from + index]!;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes > this.#raw.length) this.flush();
  }

  #shiftTimes(seenAt: number, count: number, recordBytes: number): void {
    for (let index = 0, at = seenAt; index < count; index++, at += recordBytes) {
      const seen = this.#raw.readUInt16LE(at);
      const shifted = (seen + this.#offsetSeconds) & AGE_SECONDS_MAX;
      this.#raw.writeUInt16LE((seen & ~AGE_SECONDS_MAX) | shifted, at);
    }
  }
}

function isSameHash(one: Uint8Array, other: Uint8Array): boolean {
  for (let index = 0; index < INFO_HASH_BYTES; index++) if (one[index] !== other[index]) return false;
  return true;
}

/** The absolute second of which `seen` has the low 14 bits, and that lies near the base time of its block. */
export function secondsNear(seen: number, baseSeconds: number): number {
  const past = (seen - baseSeconds) & AGE_SECONDS_MAX;
  return baseSeconds + (past <= AFTER_BASE_SECONDS_MAX ? past : past - AGE_SECONDS_MAX - 1);
}

/** Walks the entries of one block. Its fields tell of the entry that `next` has just read. */
export class SwarmEntryReader {
  /** The block. */
  readonly raw: Buffer;
  #at = BASE_BYTES;
  /** By the store's clock. */
  readonly baseSeconds: number;
  /** The bytes are not entries from here on. */
  isMalformed = false;
  isRun = false;
  /** Valid until the next entry is read. */
  readonly infoHash: Uint8Array = new Uint8Array(INFO_HASH_BYTES);
  family: Family = IPV4;
  seeders = 0;
  leechers = 0;
  /** Where the records of a run begin in the block. */
  recordsAt = 0;
  completed = 0;
  lastActivitySeconds = 0;
  #hasHash = false;

  constructor(raw: Buffer) {
    this.raw = raw;
    this.isMalformed = raw.length < BASE_BYTES;
    this.baseSeconds = this.isMalformed ? 0 : raw.readUInt32LE(0);
  }

  /** False at the end, and when what follows cannot be read. */
  next(): boolean {
    if (this.isMalformed || this.#at === this.raw.length) return false;
    this.isMalformed = !this.#read();
    return !this.isMalformed;
  }

  /** The absolute second, by the store's clock, in which the record of a run at byte `at` was last seen. */
  lastSeenSeconds(at: number): number {
    const seenAt = at + ENDPOINT_BYTES[this.family]!;
    return secondsNear(this.raw[seenAt]! | (this.raw[seenAt + 1]! << 8), this.baseSeconds);
  }

  #read(): boolean {
    const raw = this.raw;
    const kind = raw[this.#at]!;
    let at = this.#at + 1;
    if ((kind & SAME_HASH) === 0) {
      if (at + INFO_HASH_BYTES > raw.length) return false;
      for (let index = 0; index < INFO_HASH_BYTES; index++) this.infoHash[index] = raw[at + index]!;
      this.#hasHash = true;
      at += INFO_HASH_BYTES;
    } else if (!this.#hasHash) {
      return false;
    }
    if ((kind & ~SAME_HASH & ~IS_IPV6) === RUN)
      return this.#readRun(at, (kind & IS_IPV6) === 0 ? IPV4 : IPV6);
    if ((kind & KIND_BITS) === SWARM && (kind & ~SAME_HASH & ~NONE_COMPLETED) === SWARM) {
      return this.#readSwarm(at, (kind & NONE_COMPLETED) !== 0);
    }
    return false;
  }

  #readSwarm(at: number, isNoneCompleted: boolean): boolean {
    const end = at + (isNoneCompleted ? 4 : 8);
    if (end > this.raw.length) return false;
    this.isRun = false;
    this.completed = isNoneCompleted ? 0 : this.raw.readUInt32LE(at);
    this.lastActivitySeconds = this.raw.readUInt32LE(end - 4);
    this.#at = end;
    return true;
  }

  #readRun(at: number, family: Family): boolean {
    if (at + 4 > this.raw.length) return false;
    this.isRun = true;
    this.family = family;
    this.seeders = this.raw.readUInt16LE(at);
    this.leechers = this.raw.readUInt16LE(at + 2);
    this.recordsAt = at + 4;
    const end = this.recordsAt + (this.seeders + this.leechers) * RECORD_BYTES[family]!;
    if (end > this.raw.length) return false;
    this.#at = end;
    return true;
  }
}

/** How the parts of a snapshot are read. */
export const SNAPSHOT_PART: EntryFormat<SwarmEntryReader> = {
  kind: ObjectKind.snapshotPart,
  tag: BlockTag.swarms,
  open: (raw) => new SwarmEntryReader(raw),
};
