/**
 * Reads the blocks of one object and gives out only those whose checksum holds and, when they are sealed, that a
 * key opens, whatever happened to the bytes: after damage it looks for the next block that is whole. Says at the end
 * whether the object was whole, damaged, written by a later version, or sealed with a key that is not there (rule
 * D-O5). Never throws for what the bytes are.
 */
import { brotliDecompressSync } from 'node:zlib';
import {
  BLOCK_HEADER_BYTES,
  BLOCK_MAGIC,
  BLOCK_RAW_BYTES_MAX,
  BlockAt,
  BlockTag,
  blockChecksum,
  Codec,
  END_CONTENT_BYTES,
  HeaderAt,
  isSealedHeader,
  NONCE_BYTES,
  OBJECT_HEADER_BYTES,
  type ObjectKind,
  readObjectHeader,
  SEAL_BYTES,
  SKIPPABLE_TAG_BIT,
} from './object-format.ts';
import type { ObjectOpener, StoreKeys } from './store-keys.ts';

/** 'locked': its checksums hold, and no key opens it. */
export type ObjectState = 'whole' | 'damaged' | 'newer' | 'locked';

export interface Block {
  readonly number: number;
  readonly raw: Buffer;
}

export interface ObjectReaderOptions {
  readonly kind: ObjectKind;
  /** Where the object was read, below the store's prefix. */
  readonly objectKey: string;
  readonly keys: StoreKeys;
  /** The tag of the blocks that `next` gives out. */
  readonly tag: BlockTag;
}

export class ObjectReader {
  readonly #bytes: Buffer;
  readonly #options: ObjectReaderOptions;
  #at = OBJECT_HEADER_BYTES;
  #numberNext = 0;
  #isNewer = false;
  #damage: string | undefined;
  #hasEnded = false;
  /** What the header says; undefined when it is damaged, and each block's own header must tell. */
  #isSealed: boolean | undefined;
  readonly #opener: ObjectOpener | undefined;
  #hasUnopened = false;
  /** The counts of the end block; both 0 until it was read. */
  firstCount = 0;
  secondCount = 0;

  constructor(bytes: Uint8Array, options: ObjectReaderOptions) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#options = options;
    const state = readObjectHeader(this.#bytes, options.kind);
    if (state === 'newer') {
      this.#isNewer = true;
      this.#hasEnded = true;
    } else if (state === 'damaged') {
      this.#damage = 'its header is damaged';
    } else {
      this.#isSealed = isSealedHeader(this.#bytes);
    }
    // With a damaged header the nonce may be well all the same; a wrong one opens nothing.
    const nonce = this.#bytes.subarray(HeaderAt.nonce, HeaderAt.nonce + NONCE_BYTES);
    if (this.#isSealed !== false && nonce.length === NONCE_BYTES) {
      this.#opener = options.keys.opener(options.objectKey, nonce);
    }
  }

  /** Meaningful once `next` has returned undefined. */
  get state(): ObjectState {
    if (this.#isNewer) return 'newer';
    if (this.#isSealed === true && this.#hasUnopened && this.#opener?.hasOpened !== true) return 'locked';
    return this.#damage === undefined ? 'whole' : 'damaged';
  }

  /** Whether it is stored as this process would store it now: sealed with the first key, or plain without keys. */
  get isSealedAsNew(): boolean {
    return this.#options.keys.count === 0
      ? this.#isSealed === false
      : this.#opener?.hasOpenedWithFirst === true;
  }

  /** What is wrong with a damaged object, for the log. */
  get damage(): string | undefined {
    return this.#damage;
  }

  /** Says that a block's content, though its checksum holds, is not what it should be. */
  reject(what: string): void {
    this.#damage ??= what;
  }

  /** The next valid block with the tag asked for, or undefined at the end. */
  next(): Block | undefined {
    while (!this.#hasEnded) {
      const block = this.#readBlock();
      if (block !== undefined) return block;
    }
    return undefined;
  }

  /** One step: a block to give out, or undefined when it was something else (or the end). */
  #readBlock(): Block | undefined {
    const bytes = this.#bytes;
    if (this.#at >= bytes.length) return this.#end('it is cut off');
    const header = bytes.subarray(this.#at, this.#at + BLOCK_HEADER_BYTES);
    if (!this.#isValid(header)) {
      this.#damage ??= `it is damaged at byte ${this.#at}`;
      const next = bytes.indexOf(BLOCK_MAGIC, this.#at + 1);
      if (next < 0) return this.#end();
      this.#at = next;
      return undefined;
    }
    const number = header.readUInt32LE(BlockAt.number);
    if (number !== this.#numberNext) this.#damage ??= `block ${this.#numberNext} is missing`;
    this.#numberNext = number + 1;
    const from = this.#at + BLOCK_HEADER_BYTES;
    this.#at = from + header.readUInt32LE(BlockAt.storedBytes);
    const content = this.#open(header, bytes.subarray(from, this.#at));
    if (content === undefined) return undefined;
    const tag = header[BlockAt.tag]!;
    if (tag !== this.#options.tag && tag !== BlockTag.end) {
      if ((tag & SKIPPABLE_TAG_BIT) === 0) this.#isNewer = true;
      return undefined;
    }
    const raw = this.#unpack(header, content);
    if (raw === undefined) return undefined;
    if (tag !== BlockTag.end) return { number, raw };
    return this.#readEnd(number, raw);
  }

  #isValid(header: Buffer): boolean {
    if (header.length < BLOCK_HEADER_BYTES || BLOCK_MAGIC.some((byte, at) => header[at] !== byte))
      return false;
    if (header.readUInt32LE(BlockAt.number) < this.#numberNext) return false;
    const storedBytes = header.readUInt32LE(BlockAt.storedBytes);
    const from = this.#at + BLOCK_HEADER_BYTES;
    if (storedBytes > BLOCK_RAW_BYTES_MAX || from + storedBytes > this.#bytes.length) return false;
    const content = this.#bytes.subarray(from, from + storedBytes);
    return blockChecksum(this.#options.kind, header, content) === header.readUInt32LE(BlockAt.checksum);
  }

  /** The content of a valid block; undefined when it is sealed and does not open. */
  #open(header: Buffer, content: Buffer): Buffer | undefined {
    const hasSeal = header.subarray(BlockAt.seal, BlockAt.seal + SEAL_BYTES).some((byte) => byte !== 0);
    if (!(this.#isSealed ?? hasSeal)) {
      if (!hasSeal) return content;
      this.#damage ??= `block ${header.readUInt32LE(BlockAt.number)} is sealed, and the object is not`;
      return undefined;
    }
    const opened = this.#opener?.open(header, content);
    if (opened === undefined) {
      this.#hasUnopened = true;
      if (this.#opener?.hasOpened === true)
        this.#damage ??= `block ${header.readUInt32LE(BlockAt.number)} does not open`;
    } else {
      if (this.#hasUnopened) this.#damage ??= 'not all of its blocks open';
      this.#options.keys.hasOpened = true;
    }
    return opened;
  }

  #unpack(header: Buffer, content: Buffer): Buffer | undefined {
    const rawBytes = header.readUInt32LE(BlockAt.rawBytes);
    const codec = header[BlockAt.codec];
    if (codec !== Codec.none && codec !== Codec.brotli) {
      this.#isNewer = true;
      return undefined;
    }
    if (rawBytes <= BLOCK_RAW_BYTES_MAX) {
      if (codec === Codec.none && rawBytes === content.length) return content;
      if (codec === Codec.brotli) {
        try {
          const raw = brotliDecompressSync(content, {
            maxOutputLength: rawBytes + 1,
            chunkSize: rawBytes + 64,
          });
          if (raw.length === rawBytes) return raw;
        } catch {
          // told below: its checksum holds, so whoever wrote it wrote nonsense
        }
      }
    }
    this.#damage ??= `block ${header.readUInt32LE(BlockAt.number)} cannot be unpacked`;
    return undefined;
  }

  #readEnd(number: number, raw: Buffer): undefined {
    if (raw.length < END_CONTENT_BYTES || raw.readUInt32LE(0) !== number)
      return this.#end('its end is nonsense');
    this.firstCount = raw.readUInt32LE(4);
    this.secondCount = raw.readUInt32LE(8);
    return this.#end(this.#at === this.#bytes.length ? undefined : 'bytes follow its end');
  }

  #end(damage?: string): undefined {
    this.#hasEnded = true;
    if (damage !== undefined) this.#damage ??= damage;
    if (this.state === 'locked') this.#options.keys.foundLocked(this.#options.objectKey);
    return undefined;
  }
}
