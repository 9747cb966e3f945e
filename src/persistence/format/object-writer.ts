/**
 * Builds one object in memory, block by block. A block is stored compressed only when that makes it smaller, and
 * then sealed when there is a key (rule D-O5).
 * Encoding one block of BLOCK_RAW_BYTES takes a fraction of a millisecond (docs/storage-format.md has the figure),
 * so a caller that adds one block a step stays within its slice. The blocks are put together once, at the end.
 */
import { brotliCompressSync, constants } from 'node:zlib';
import {
  BLOCK_HEADER_BYTES,
  BLOCK_MAGIC,
  BLOCK_RAW_BYTES,
  BLOCK_RAW_BYTES_MAX,
  BlockAt,
  BlockTag,
  blockChecksum,
  Codec,
  END_CONTENT_BYTES,
  OBJECT_HEADER_BYTES,
  type ObjectKind,
  writeObjectHeader,
} from './object-format.ts';
import type { ObjectSeal, StoreKeys } from './store-keys.ts';

const COMPRESSION = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 16 },
  chunkSize: BLOCK_RAW_BYTES + 1024,
};

export class ObjectWriter {
  readonly #kind: ObjectKind;
  readonly #keys: StoreKeys;
  readonly #header = Buffer.alloc(OBJECT_HEADER_BYTES);
  #seal: ObjectSeal | undefined;
  #blocks: Buffer[] = [];
  #bytes = OBJECT_HEADER_BYTES;

  /** `objectKey` is where the object will be put, below the store's prefix: sealed, it can be read only there. */
  constructor(kind: ObjectKind, objectKey: string, keys: StoreKeys) {
    this.#kind = kind;
    this.#keys = keys;
    this.reset(objectKey);
  }

  /** Bytes of the object so far, header included, end block not. */
  get bytes(): number {
    return this.#bytes;
  }

  get blocks(): number {
    return this.#blocks.length;
  }

  /** Adds one block; `raw` may be used again at once. */
  append(tag: number, raw: Uint8Array): void {
    if (raw.length > BLOCK_RAW_BYTES_MAX) throw new RangeError(`a block of ${raw.length} bytes`);
    const compressed = brotliCompressSync(raw, COMPRESSION);
    if (compressed.length < raw.length) this.#append(tag, Codec.brotli, compressed, raw.length);
    else this.#append(tag, Codec.none, raw, raw.length);
  }

  /** Ends the object with its counts, by which a reader sees that nothing is missing, and returns its bytes. */
  finish(firstCount: number, secondCount: number): Uint8Array {
    const content = Buffer.alloc(END_CONTENT_BYTES);
    content.writeUInt32LE(this.#blocks.length, 0);
    content.writeUInt32LE(firstCount, 4);
    content.writeUInt32LE(secondCount, 8);
    this.#append(BlockTag.end, Codec.none, content, content.length);
    return Buffer.concat([this.#header, ...this.#blocks], this.#bytes);
  }

  /** Begins the next object, of the same kind. */
  reset(objectKey: string): void {
    this.#seal = this.#keys.newSeal(objectKey);
    writeObjectHeader(this.#header, this.#kind, this.#seal?.nonce);
    this.#blocks = [];
    this.#bytes = OBJECT_HEADER_BYTES;
  }

  #append(tag: number, codec: number, content: Uint8Array, rawBytes: number): void {
    const block = Buffer.alloc(BLOCK_HEADER_BYTES + content.length);
    block.set(BLOCK_MAGIC, 0);
    block.writeUInt32LE(this.#blocks.length, BlockAt.number);
    block.writeUInt32LE(content.length, BlockAt.storedBytes);
    block.writeUInt32LE(rawBytes, BlockAt.rawBytes);
    block[BlockAt.codec] = codec;
    block[BlockAt.tag] = tag;
    const stored = this.#seal === undefined ? content : this.#seal.seal(block, content);
    block.writeUInt32LE(blockChecksum(this.#kind, block, stored), BlockAt.checksum);
    block.set(stored, BLOCK_HEADER_BYTES);
    this.#blocks.push(block);
    this.#bytes += block.length;
  }
}
