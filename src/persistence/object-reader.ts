/**
 * Reads the blocks of one object and gives out only those whose checksum holds, whatever happened to the bytes:
 * after damage it looks for the next block that is whole. Says at the end whether the object was whole, damaged,
 * or written by a later version. Never throws for what the bytes are.
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
  OBJECT_HEADER_BYTES,
  type ObjectKind,
  readObjectHeader,
  SKIPPABLE_TAG_BIT,
} from './object-format.ts';

export type ObjectState = 'whole' | 'damaged' | 'newer';

export interface Block {
  readonly number: number;
  readonly raw: Buffer;
}

export interface ObjectReaderOptions {
  readonly kind: ObjectKind;
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
    }
  }

  /** Meaningful once `next` has returned undefined. */
  get state(): ObjectState {
    if (this.#isNewer) return 'newer';
    return this.#damage === undefined ? 'whole' : 'damaged';
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
    const tag = header[BlockAt.tag]!;
    if (tag !== this.#options.tag && tag !== BlockTag.end) {
      if ((tag & SKIPPABLE_TAG_BIT) === 0) this.#isNewer = true;
      return undefined;
    }
    const raw = this.#unpack(header, bytes.subarray(from, this.#at));
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
    return undefined;
  }
}
