/**
 * The bytes that every object in the store shares: a header, blocks, and an end block (rule D-O4). The layout,
 * byte by byte, is in docs/storage-format.md; all integers are little-endian. What the blocks hold is left to the
 * formats of each kind.
 *
 *   object | header 32 | block | block | … | end block |
 *   header | magic 8 | kind 1 | version 1 | flags 2 | nonce 12 | reserved 4 | checksum 4 |
 *   block  | magic 4 | number 4 | stored bytes 4 | raw bytes 4 | codec 1 | tag 1 | reserved 2 | seal 16 | checksum 4 | content |
 */
import { crc32 } from 'node:zlib';

const FORMAT_VERSION = 1;

/** The first bytes of every object: a name, and line ends that a careless text copy would change. */
const OBJECT_MAGIC: Uint8Array = Uint8Array.of(0x54, 0x52, 0x41, 0x4b, 0x58, 0x0d, 0x0a, 0x1a);
/** The first bytes of every block, by which a reader finds its way again after damage. */
export const BLOCK_MAGIC: Uint8Array = Uint8Array.of(0xb1, 0x54, 0x42, 0x4c);

export const OBJECT_HEADER_BYTES = 32;
export const BLOCK_HEADER_BYTES = 40;
/** No part of a snapshot is longer. */
export const PART_BYTES_MAX = 8 * 1024 * 1024;
/** A writer ends a block about here, so that encoding it fits in a slice of a millisecond. */
export const BLOCK_RAW_BYTES = 16 * 1024;
/** A reader takes blocks of up to this many bytes before compression. */
export const BLOCK_RAW_BYTES_MAX = 64 * 1024;
export const END_CONTENT_BYTES = 12;
/** Of a sealed object, and the tag of a sealed block (AES-GCM). */
export const NONCE_BYTES = 12;
export const SEAL_BYTES = 16;

/** What an object is. */
export const ObjectKind = { snapshotPart: 1, manifest: 2, accessChange: 3, journalSegment: 4 } as const;
export type ObjectKind = (typeof ObjectKind)[keyof typeof ObjectKind];

export const Codec = { none: 0, brotli: 1 } as const;

/** What a block holds. A reader that meets a tag it does not know may go on only past SKIPPABLE ones. */
export const BlockTag = { end: 1, swarms: 2, manifest: 3, access: 4, journal: 5, history: 0x86 } as const;
export type BlockTag = (typeof BlockTag)[keyof typeof BlockTag];
export const SKIPPABLE_TAG_BIT = 0x80;

/** What changes how the rest is read; a reader that meets a flag it does not know leaves the object alone. */
const HeaderFlag = { sealed: 1 } as const;

/** Offsets in the object header. */
export const HeaderAt = { kind: 8, version: 9, flags: 10, nonce: 12, reserved: 24, checksum: 28 } as const;
/** Offsets in a block header. */
export const BlockAt = {
  number: 4,
  storedBytes: 8,
  rawBytes: 12,
  codec: 16,
  tag: 17,
  reserved: 18,
  seal: 20,
  checksum: 36,
} as const;

/** Writes the header of an object; `nonce` when its blocks are sealed. */
export function writeObjectHeader(out: Buffer, kind: ObjectKind, nonce?: Uint8Array): void {
  out.fill(0, 0, OBJECT_HEADER_BYTES);
  out.set(OBJECT_MAGIC, 0);
  out[HeaderAt.kind] = kind;
  out[HeaderAt.version] = FORMAT_VERSION;
  if (nonce !== undefined) {
    out.writeUInt16LE(HeaderFlag.sealed, HeaderAt.flags);
    out.set(nonce, HeaderAt.nonce);
  }
  out.writeUInt32LE(crc32(out.subarray(0, HeaderAt.checksum)), HeaderAt.checksum);
}

/** What a header says of its object: readable by this version, written by a later one, or not to be trusted. */
export type HeaderState = 'readable' | 'newer' | 'damaged';

/** Looks at the header of an object that should be of this kind. */
export function readObjectHeader(bytes: Buffer, kind: ObjectKind): HeaderState {
  if (bytes.length < OBJECT_HEADER_BYTES) return 'damaged';
  if (OBJECT_MAGIC.some((byte, at) => bytes[at] !== byte)) return 'damaged';
  if (crc32(bytes.subarray(0, HeaderAt.checksum)) !== bytes.readUInt32LE(HeaderAt.checksum)) return 'damaged';
  if (bytes[HeaderAt.version]! > FORMAT_VERSION) return 'newer';
  if ((bytes.readUInt16LE(HeaderAt.flags) & ~HeaderFlag.sealed) !== 0) return 'newer';
  return bytes[HeaderAt.kind] === kind ? 'readable' : 'damaged';
}

/** Whether a header that is readable says that its blocks are sealed. */
export function isSealedHeader(bytes: Buffer): boolean {
  return (bytes.readUInt16LE(HeaderAt.flags) & HeaderFlag.sealed) !== 0;
}

/**
 * The checksum of a block: CRC-32 (ISO 3309, as in zlib) over the object's kind and version, the block's header
 * up to the checksum, and its stored content. Kind and version make a block of another kind of object invalid
 * here, also when the object's own header is damaged; the number in the header makes a moved block invalid.
 */
export function blockChecksum(kind: ObjectKind, header: Uint8Array, content: Uint8Array): number {
  return crc32(
    content,
    crc32(header.subarray(0, BlockAt.checksum), crc32(Uint8Array.of(kind, FORMAT_VERSION))),
  );
}
