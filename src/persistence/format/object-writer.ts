/**
 * Builds one object in memory, block by block. A block is stored compressed only when that makes it smaller, and
 * then sealed when there is a key (rule D-O5).
 * Encoding one block of BLOCK_RAW_BYTES takes a fraction of a millisecond (docs/storage-format.md has the figure),
 * so a caller that adds one block a step stays within its slice. Blocks are written where they will lie, in memory
 * that the writer's next object uses again: memory that is thrown away outside the heap makes V8 collect the heap.
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

const COMPRESSION = { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 16 };
/** Beside what the block before came to: zlib takes more when this is not enough. */
const OUTPUT_BYTES_SPARE = 512;

/** A change of one hash fits. */
const MEMORY_BYTES_MIN = 512;

export class ObjectWriter {
  readonly #kind: ObjectKind;
  readonly #keys: StoreKeys;
  #seal: ObjectSeal | undefined;
  #memory: Buffer;
  #bytes = OBJECT_HEADER_BYTES;
  #blocks = 0;
  /** Memory for the next block's compressed bytes; it is thrown away, so it is no more than they will likely be. */
  #outputBytes = BLOCK_RAW_BYTES;

  /**
   * `objectKey` is where the object will be put, below the store's prefix: sealed, it can be read only there.
   * `bytesExpected` spares an object that is not longer the copying when its memory grows.
   */
  constructor(kind: ObjectKind, objectKey: string, keys: StoreKeys, bytesExpected = MEMORY_BYTES_MIN) {
    this.#kind = kind;
    this.#keys = keys;
    this.#memory = Buffer.allocUnsafeSlow(Math.max(bytesExpected, MEMORY_BYTES_MIN));
    this.reset(objectKey);
  }

  /** Bytes of the object so far, header included, end block not. */
  get bytes(): number {
    return this.#bytes;
  }

  get blocks(): number {
    return this.#blocks;
  }

  /** Adds one block; `raw` may be used again at once. */
  append(tag: number, raw: Uint8Array): void {
    if (raw.length > BLOCK_RAW_BYTES_MAX) throw new RangeError(`a block of ${raw.length} bytes`);
    const compressed = brotliCompressSync(raw, { params: COMPRESSION, chunkSize: this.#outputBytes });
    this.#outputBytes = compressed.length + OUTPUT_BYTES_SPARE;
    if (compressed.length < raw.length) this.#append(tag, Codec.brotli, compressed, raw.length);
    else this.#append(tag, Codec.none, raw, raw.length);
  }

  /**
   * Ends the object with its counts, by which a reader sees that nothing is missing, and returns its bytes: they are
   * the writer's, and valid until it is reset.
   */
  finish(firstCount: number, secondCount: number): Uint8Array {
    const content = Buffer.alloc(END_CONTENT_BYTES);
    content.writeUInt32LE(this.#blocks, 0);
    content.writeUInt32LE(firstCount, 4);
    content.writeUInt32LE(secondCount, 8);
    this.#append(BlockTag.end, Codec.none, content, content.length);
    return this.#memory.subarray(0, this.#bytes);
  }

  /** Begins the next object, of the same kind. */
  reset(objectKey: string): void {
    this.#seal = this.#keys.newSeal(objectKey);
    writeObjectHeader(this.#memory, this.#kind, this.#seal?.nonce);
    this.#blocks = 0;
    this.#bytes = OBJECT_HEADER_BYTES;
  }

  #append(tag: number, codec: number, content: Uint8Array, rawBytes: number): void {
    const contentAt = this.#bytes + BLOCK_HEADER_BYTES;
    this.#reserve(contentAt + content.length);
    const header = this.#memory.subarray(this.#bytes, contentAt);
    header.fill(0);
    header.set(BLOCK_MAGIC, 0);
    header.writeUInt32LE(this.#blocks, BlockAt.number);
    header.writeUInt32LE(content.length, BlockAt.storedBytes);
    header.writeUInt32LE(rawBytes, BlockAt.rawBytes);
    header[BlockAt.codec] = codec;
    header[BlockAt.tag] = tag;
    const stored = this.#seal === undefined ? content : this.#seal.seal(header, content);
    header.writeUInt32LE(blockChecksum(this.#kind, header, stored), BlockAt.checksum);
    this.#memory.set(stored, contentAt);
    this.#bytes = contentAt + content.length;
    this.#blocks += 1;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#memory.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.#memory.length));
    grown.set(this.#memory.subarray(0, this.#bytes));
    this.#memory = grown;
  }
}
