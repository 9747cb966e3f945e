/**
 * The bytes of an object of the access log: one change, or many of them folded together (docs/storage-format.md).
 *
 *   block   | section | section | … |   a block needs no other to be read
 *   section | list 1 | listed 1 | reason bytes 1 | 0 | seconds 4 | hashes 4 | reason | hash 20 | hash 20 | … |
 */
import type { ListName } from '../../access/access.ts';
import type { Change, ListedHash } from '../../access/hash-list.ts';
import { INFO_HASH_BYTES } from '../../protocol/info-hash.ts';
import { type BlockEntries, EntryBlocks, type EntryFormat } from './entry-blocks.ts';
import { BLOCK_RAW_BYTES, BlockTag, ObjectKind } from './object-format.ts';
import type { ObjectState } from './object-reader.ts';
import { ObjectWriter } from './object-writer.ts';
import type { StoreKeys } from './store-keys.ts';

const SECTION_BYTES = 12;
export const REASON_BYTES_MAX = 200;

const LIST_CODES: Readonly<Record<ListName, number>> = { bans: 1, allowed: 2 };
const LISTS: Readonly<Record<number, ListName>> = { 1: 'bans', 2: 'allowed' };

export class AccessObjectWriter {
  readonly #object: ObjectWriter;
  readonly #raw = Buffer.alloc(BLOCK_RAW_BYTES);
  #at = 0;
  /** Where the open section begins; -1 when there is none. */
  #sectionAt = -1;
  #list: ListName = 'bans';
  #change: Change = { isListed: false, atSeconds: 0, reason: '' };
  #hashes = 0;

  /** `objectKey` is where the object will be put. */
  constructor(objectKey: string, keys: StoreKeys) {
    this.#object = new ObjectWriter(ObjectKind.accessChange, objectKey, keys);
  }

  /** Bytes of the object so far, but for the block that is being filled. */
  get bytes(): number {
    return this.#object.bytes;
  }

  /** Adds one hash; encodes at most one block. */
  add(list: ListName, listed: ListedHash): void {
    const isSame =
      this.#sectionAt >= 0 &&
      list === this.#list &&
      listed.isListed === this.#change.isListed &&
      listed.atSeconds === this.#change.atSeconds &&
      listed.reason === this.#change.reason;
    if (!isSame || this.#at + INFO_HASH_BYTES > this.#raw.length) this.#openSection(list, listed);
    this.#raw.set(listed.infoHash, this.#at);
    this.#at += INFO_HASH_BYTES;
    this.#hashes += 1;
    const count = this.#raw.readUInt32LE(this.#sectionAt + 8);
    this.#raw.writeUInt32LE(count + 1, this.#sectionAt + 8);
  }

  finish(): Uint8Array {
    this.#flush();
    return this.#object.finish(this.#hashes, 0);
  }

  #openSection(list: ListName, change: Change): void {
    const reason = Buffer.from(change.reason);
    if (reason.length > REASON_BYTES_MAX) throw new RangeError(`a reason of ${reason.length} bytes`);
    if (this.#at + SECTION_BYTES + reason.length + INFO_HASH_BYTES > this.#raw.length) this.#flush();
    this.#sectionAt = this.#at;
    this.#list = list;
    this.#change = change;
    this.#raw[this.#at] = LIST_CODES[list];
    this.#raw[this.#at + 1] = change.isListed ? 1 : 0;
    this.#raw[this.#at + 2] = reason.length;
    this.#raw[this.#at + 3] = 0;
    this.#raw.writeUInt32LE(change.atSeconds, this.#at + 4);
    this.#raw.writeUInt32LE(0, this.#at + 8);
    this.#raw.set(reason, this.#at + SECTION_BYTES);
    this.#at += SECTION_BYTES + reason.length;
  }

  #flush(): void {
    if (this.#at > 0) this.#object.append(BlockTag.access, this.#raw.subarray(0, this.#at));
    this.#at = 0;
    this.#sectionAt = -1;
  }
}

/** A change and the hashes it is of: `count` of 20 bytes from byte `at` of `raw`. */
export interface AccessSection extends Change {
  readonly list: ListName;
  readonly raw: Buffer;
  readonly at: number;
  readonly count: number;
}

/** Reads the sections of one object, one after the other. */
export class AccessObjectReader {
  readonly #blocks: EntryBlocks<AccessSectionReader>;
  #sections: AccessSectionReader | undefined;
  #hashes = 0;

  constructor(objectKey: string, bytes: Uint8Array, keys: StoreKeys) {
    this.#blocks = new EntryBlocks(ACCESS_CHANGE, objectKey, bytes, keys);
    this.#sections = this.#blocks.next();
  }

  /** Meaningful once `next` has returned undefined. */
  get state(): ObjectState {
    return this.#blocks.state;
  }

  get damage(): string | undefined {
    return this.#blocks.damage;
  }

  /** See ObjectReader. */
  get isSealedAsNew(): boolean {
    return this.#blocks.isSealedAsNew;
  }

  /** The next section of a valid block, undefined at the end. */
  next(): AccessSection | undefined {
    while (this.#sections !== undefined) {
      if (this.#sections.next()) {
        this.#hashes += this.#sections.section!.count;
        return this.#sections.section;
      }
      this.#sections = this.#blocks.next();
    }
    if (this.#hashes !== this.#blocks.firstCount)
      this.#blocks.reject('it does not hold as many hashes as it says');
    return undefined;
  }
}

class AccessSectionReader implements BlockEntries {
  readonly #raw: Buffer;
  #at = 0;
  isMalformed = false;
  /** What `next` has just read. */
  section: AccessSection | undefined;

  constructor(raw: Buffer) {
    this.#raw = raw;
  }

  next(): boolean {
    if (this.isMalformed || this.#at === this.#raw.length) return false;
    this.section = this.#read();
    this.isMalformed = this.section === undefined;
    return !this.isMalformed;
  }

  #read(): AccessSection | undefined {
    const raw = this.#raw;
    const at = this.#at;
    if (at + SECTION_BYTES > raw.length) return undefined;
    const list = LISTS[raw[at]!];
    const listed = raw[at + 1]!;
    const hashesAt = at + SECTION_BYTES + raw[at + 2]!;
    const count = raw.readUInt32LE(at + 8);
    const end = hashesAt + count * INFO_HASH_BYTES;
    if (list === undefined || listed > 1 || end > raw.length) return undefined;
    this.#at = end;
    const reason = raw.toString('utf8', at + SECTION_BYTES, hashesAt);
    const atSeconds = raw.readUInt32LE(at + 4);
    return { list, isListed: listed === 1, atSeconds, reason, raw, at: hashesAt, count };
  }
}

const ACCESS_CHANGE: EntryFormat<AccessSectionReader> = {
  kind: ObjectKind.accessChange,
  tag: BlockTag.access,
  open: (raw) => new AccessSectionReader(raw),
};
