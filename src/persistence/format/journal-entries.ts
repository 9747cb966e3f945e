/**
 * What the blocks of a journal segment hold: what one tracker heard, in the order in which it heard it
 * (docs/storage-format.md). Each entry is absolute: it says how things are, not how they change (rule D-J1), but
 * for completed downloads, which are counted.
 *
 *   block content | base seconds 4 | offset seconds 4 | entry | entry | … |
 *   peer          | kind 1 | info hash 20 | record 28 or 40 |
 *   stop          | kind 1 | info hash 20 | endpoint 6 or 18 | second 2 |
 *   completions   | kind 1 | info hash 20 | count 4 |
 *
 * Times are by the writer's own clock, which only runs forward; the offset makes them the store's (rule D-O6). It
 * is filled in when the segment goes out, because a tracker that has not reached its store yet does not know it.
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
import { secondsNear } from './swarm-entries.ts';

const PEER = 1;
const STOP = 2;
const COMPLETIONS = 3;
const KIND_BITS = 0x0f;
const IS_IPV6 = 0x10;
/** Of a peer: it has everything. */
const IS_SEEDER = 0x20;
/** Of a stop: whoever heard it had heard the peer in the same second before. */
const IS_SAME_SECOND = 0x20;

const OFFSET_AT = 4;
const ENTRIES_AT = 8;
const SECOND_BYTES = 2;
const COUNT_BYTES = 4;

/** Gathers entries into blocks. Of each block `emit` is given a copy that is no larger than it need be, to keep. */
export class JournalEntryWriter {
  readonly #emit: (block: Buffer) => void;
  readonly #nowSeconds: () => number;
  readonly #block = Buffer.allocUnsafeSlow(BLOCK_RAW_BYTES);
  #at = ENTRIES_AT;
  #sinceSeconds = 0;

  constructor(emit: (block: Buffer) => void, nowSeconds: () => number) {
    this.#emit = emit;
    this.#nowSeconds = nowSeconds;
  }

  /** Bytes of entries that no full block holds yet. */
  get bytes(): number {
    return this.#at - ENTRIES_AT;
  }

  /** How long ago the first of these was heard. */
  get ageSeconds(): number {
    return this.#at === ENTRIES_AT ? 0 : this.#nowSeconds() - this.#sinceSeconds;
  }

  /** `record` is packed as in memory, its seconds by the writer's clock. */
  peer(infoHash: Uint8Array, family: Family, isSeeder: boolean, record: Uint8Array): void {
    this.#begin(PEER | (isSeeder ? IS_SEEDER : 0), infoHash, family, record.length);
    this.#block.set(record, this.#at);
    this.#at += record.length;
  }

  stop(
    infoHash: Uint8Array,
    family: Family,
    endpoint: Uint8Array,
    stoppedSeconds: number,
    isSameSecond: boolean,
  ): void {
    this.#begin(STOP | (isSameSecond ? IS_SAME_SECOND : 0), infoHash, family, endpoint.length + SECOND_BYTES);
    this.#block.set(endpoint, this.#at);
    this.#at = this.#block.writeUInt16LE(stoppedSeconds & AGE_SECONDS_MAX, this.#at + endpoint.length);
  }

  completions(infoHash: Uint8Array, count: number): void {
    this.#begin(COMPLETIONS, infoHash, IPV4, COUNT_BYTES);
    this.#at = this.#block.writeUInt32LE(count, this.#at);
  }

  /** Gives out what has gathered, if anything. May be called again by `emit`. */
  flush(): void {
    if (this.#at === ENTRIES_AT) return;
    this.#block.writeUInt32LE(this.#nowSeconds() >>> 0, 0);
    this.#block.writeInt32LE(0, OFFSET_AT);
    const block = Buffer.allocUnsafeSlow(this.#at);
    this.#block.copy(block, 0, 0, this.#at);
    this.#at = ENTRIES_AT;
    this.#emit(block);
  }

  #begin(kind: number, infoHash: Uint8Array, family: Family, bytes: number): void {
    if (this.#at + 1 + INFO_HASH_BYTES + bytes > this.#block.length) this.flush();
    if (this.#at === ENTRIES_AT) this.#sinceSeconds = this.#nowSeconds();
    this.#block[this.#at] = kind | (family === IPV6 ? IS_IPV6 : 0);
    this.#block.set(infoHash, this.#at + 1);
    this.#at += 1 + INFO_HASH_BYTES;
  }
}

/** Says in a finished block what makes its times the store's. */
export function setOffset(block: Buffer, offsetSeconds: number): void {
  block.writeInt32LE(offsetSeconds, OFFSET_AT);
}

export type JournalEntryKind = 'peer' | 'stop' | 'completions';

/** Walks the entries of one block. Its fields tell of the entry that `next` has just read. */
export class JournalEntryReader {
  /** The block. */
  readonly raw: Buffer;
  #at = ENTRIES_AT;
  readonly #baseSeconds: number = 0;
  readonly #offsetSeconds: number = 0;
  /** The bytes are not entries from here on. */
  isMalformed = false;
  kind: JournalEntryKind = 'peer';
  /** A view, valid as long as the block. */
  infoHash: Uint8Array = new Uint8Array(INFO_HASH_BYTES);
  family: Family = IPV4;
  /** Of a peer. */
  isSeeder = false;
  /** Of a stop. */
  isSameSecond = false;
  /** Where a peer's record, or the endpoint that stopped, begins in the block. */
  bodyAt = 0;
  /** When the peer was heard, or stopped, by the store's clock. */
  seconds = 0;
  /** Completed downloads. */
  count = 0;

  constructor(raw: Buffer) {
    this.raw = raw;
    this.isMalformed = raw.length < ENTRIES_AT;
    if (this.isMalformed) return;
    this.#baseSeconds = raw.readUInt32LE(0);
    this.#offsetSeconds = raw.readInt32LE(OFFSET_AT);
  }

  /** False at the end, and when what follows cannot be read. */
  next(): boolean {
    if (this.isMalformed || this.#at === this.raw.length) return false;
    this.isMalformed = !this.#read();
    return !this.isMalformed;
  }

  #read(): boolean {
    const raw = this.raw;
    const kind = raw[this.#at]!;
    this.bodyAt = this.#at + 1 + INFO_HASH_BYTES;
    this.infoHash = raw.subarray(this.#at + 1, this.bodyAt);
    this.family = (kind & IS_IPV6) === 0 ? IPV4 : IPV6;
    const flags = kind & ~(KIND_BITS | IS_IPV6);
    switch (kind & KIND_BITS) {
      case PEER:
        this.kind = 'peer';
        this.isSeeder = flags === IS_SEEDER;
        return (flags & ~IS_SEEDER) === 0 && this.#readTimed(RECORD_BYTES[this.family]!);
      case STOP:
        this.kind = 'stop';
        this.isSameSecond = flags === IS_SAME_SECOND;
        return (
          (flags & ~IS_SAME_SECOND) === 0 && this.#readTimed(ENDPOINT_BYTES[this.family]! + SECOND_BYTES)
        );
      case COMPLETIONS:
        this.kind = 'completions';
        return kind === COMPLETIONS && this.#readCount();
      default:
        return false;
    }
  }

  /** Of both the second stands behind the endpoint. */
  #readTimed(bytes: number): boolean {
    const end = this.bodyAt + bytes;
    if (end > this.raw.length) return false;
    const second = this.raw.readUInt16LE(this.bodyAt + ENDPOINT_BYTES[this.family]!);
    this.seconds = secondsNear(second, this.#baseSeconds) + this.#offsetSeconds;
    this.#at = end;
    return true;
  }

  #readCount(): boolean {
    const end = this.bodyAt + COUNT_BYTES;
    if (end > this.raw.length) return false;
    this.count = this.raw.readUInt32LE(this.bodyAt);
    this.#at = end;
    return true;
  }
}

/** How the segments of the journal are read. */
export const JOURNAL_SEGMENT: EntryFormat<JournalEntryReader> = {
  kind: ObjectKind.journalSegment,
  tag: BlockTag.journal,
  open: (raw) => new JournalEntryReader(raw),
};
