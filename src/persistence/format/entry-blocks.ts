/**
 * The blocks of one object, each opened for the entries that it holds. Whoever reads an object asks for a block, walks
 * its entries, and asks for the next; a block whose entries cannot be read, though its checksum holds, makes the object
 * a damaged one. Leaves what the entries are to the format of each kind.
 */
import type { BlockTag, ObjectKind } from './object-format.ts';
import { ObjectReader, type ObjectState } from './object-reader.ts';
import type { StoreKeys } from './store-keys.ts';

/** A reader of the entries of one block, whose other fields tell of the entry that `next` has just read. */
export interface BlockEntries {
  /** False at the end, and when what follows cannot be read. */
  next(): boolean;
  /** The bytes are not entries from here on. */
  readonly isMalformed: boolean;
}

/** Where the blocks with entries are, and what reads them. */
export interface EntryFormat<Entries extends BlockEntries> {
  readonly kind: ObjectKind;
  readonly tag: BlockTag;
  open(raw: Buffer): Entries;
}

export class EntryBlocks<Entries extends BlockEntries> {
  readonly #format: EntryFormat<Entries>;
  readonly #reader: ObjectReader;
  #number = 0;
  #entries: Entries | undefined;

  /** `objectKey` is where the bytes were read. */
  constructor(format: EntryFormat<Entries>, objectKey: string, bytes: Uint8Array, keys: StoreKeys) {
    this.#format = format;
    this.#reader = new ObjectReader(bytes, { kind: format.kind, tag: format.tag, objectKey, keys });
  }

  /** The entries of the next valid block, or undefined at the end. */
  next(): Entries | undefined {
    if (this.#entries?.isMalformed) {
      this.#reader.reject(`block ${this.#number} holds no entries that can be read`);
    }
    const block = this.#reader.next();
    this.#number = block?.number ?? 0;
    this.#entries = block && this.#format.open(block.raw);
    return this.#entries;
  }

  /** Meaningful once `next` has returned undefined. */
  get state(): ObjectState {
    return this.#reader.state;
  }

  /** What is wrong with a damaged object, for the log. */
  get damage(): string | undefined {
    return this.#reader.damage;
  }

  /** See ObjectReader. */
  get isSealedAsNew(): boolean {
    return this.#reader.isSealedAsNew;
  }

  /** The counts of the object's end. */
  get firstCount(): number {
    return this.#reader.firstCount;
  }

  get secondCount(): number {
    return this.#reader.secondCount;
  }

  /** Says that what was read, though it is valid, is not what it should be. */
  reject(what: string): void {
    this.#reader.reject(what);
  }
}
