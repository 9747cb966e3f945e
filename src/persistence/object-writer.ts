/**
 * Builds one object in memory, block by block. A block is stored compressed only when that makes it smaller.
 * Encoding one block of BLOCK_RAW_BYTES takes a fraction of a millisecond (docs/storage-format.md has the figure),
 * so a caller that adds one block a step stays within its slice. The buffer is used again for the next object.
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

const BYTES_AT_START = 4 * BLOCK_RAW_BYTES;
const COMPRESSION = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 16 },
  chunkSize: BLOCK_RAW_BYTES + 1024,
};

export class ObjectWriter {
  readonly #kind: ObjectKind;
  #out: Buffer;
  #bytes = OBJECT_HEADER_BYTES;
  #blocks = 0;

  constructor(kind: ObjectKind) {
    this.#kind = kind;
    this.#out = Buffer.alloc(BYTES_AT_START);
    writeObjectHeader(this.#out, kind);
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
    const compressed = brotliCompressSync(raw, COMPRESSION);
    if (compressed.length < raw.length) this.#append(tag, Codec.brotli, compressed, raw.length);
    else this.#append(tag, Codec.none, raw, raw.length);
  }

  /**
   * Ends the object with its counts, by which a reader sees that nothing is missing, and returns its bytes. They
   * are valid until the next `reset`.
   */
  finish(firstCount: number, secondCount: number): Uint8Array {
    const content = Buffer.alloc(END_CONTENT_BYTES);
    content.writeUInt32LE(this.#blocks, 0);
    content.writeUInt32LE(firstCount, 4);
    content.writeUInt32LE(secondCount, 8);
    this.#append(BlockTag.end, Codec.none, content, content.length);
    return this.#out.subarray(0, this.#bytes);
  }

  /** Begins the next object in the same memory. */
  reset(): void {
    this.#bytes = OBJECT_HEADER_BYTES;
    this.#blocks = 0;
  }

  #append(tag: number, codec: number, content: Uint8Array, rawBytes: number): void {
    this.#reserve(BLOCK_HEADER_BYTES + content.length);
    const header = this.#out.subarray(this.#bytes, this.#bytes + BLOCK_HEADER_BYTES);
    header.fill(0);
    header.set(BLOCK_MAGIC, 0);
    header.writeUInt32LE(this.#blocks, BlockAt.number);
    header.writeUInt32LE(content.length, BlockAt.storedBytes);
    header.writeUInt32LE(rawBytes, BlockAt.rawBytes);
    header[BlockAt.codec] = codec;
    header[BlockAt.tag] = tag;
    header.writeUInt32LE(blockChecksum(this.#kind, header, content), BlockAt.checksum);
    this.#out.set(content, this.#bytes + BLOCK_HEADER_BYTES);
    this.#bytes += BLOCK_HEADER_BYTES + content.length;
    this.#blocks += 1;
  }

  #reserve(bytes: number): void {
    if (this.#bytes + bytes <= this.#out.length) return;
    const larger = Buffer.alloc(Math.max(this.#out.length * 2, this.#bytes + bytes));
    this.#out.copy(larger, 0, 0, this.#bytes);
    this.#out = larger;
  }
}
