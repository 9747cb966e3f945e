/** Damage for stored objects, and objects that a later version might write. */
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import {
  BLOCK_HEADER_BYTES,
  HeaderAt,
  OBJECT_HEADER_BYTES,
  type ObjectKind,
} from '../../src/persistence/format/object-format.ts';

export function flipBit(bytes: Uint8Array, at: number, bit = 0): Uint8Array {
  const damaged = Uint8Array.from(bytes);
  damaged[at]! ^= 1 << bit;
  return damaged;
}

/** The object with a valid header of another version. */
export function asVersion(bytes: Uint8Array, kind: ObjectKind, version: number): Uint8Array {
  const changed = Buffer.from(Uint8Array.from(bytes));
  changed[HeaderAt.kind] = kind;
  changed[HeaderAt.version] = version;
  changed.writeUInt32LE(crc32(changed.subarray(0, HeaderAt.checksum)), HeaderAt.checksum);
  return changed;
}

/** Cut off, with bytes flipped, overwritten, taken out or added, or something else altogether. */
export function damageOf(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat({ max: bytes.length - 1 });
  return fc.oneof(
    fc
      .array(fc.tuple(place, fc.nat({ max: 7 })), { minLength: 1, maxLength: 5 })
      .map((flips) => flips.reduce((before, [at, bit]) => flipBit(before, at, bit), bytes)),
    place.map((at) => bytes.subarray(0, at)),
    fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 300 })).map(([at, noise]) => {
      const changed = Uint8Array.from(bytes);
      changed.set(noise.subarray(0, bytes.length - at), at);
      return changed;
    }),
    fc.tuple(place, place).map(([from, to]) => Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])),
    fc.uint8Array({ minLength: 1, maxLength: 100 }).map((tail) => Buffer.concat([bytes, tail])),
    fc.uint8Array({ maxLength: 500 }),
  );
}

/** Where block 0, 1, … of a whole object begins, the end block last. */
export function blockStarts(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts: number[] = [];
  for (
    let at = OBJECT_HEADER_BYTES;
    at < bytes.length;
    at += BLOCK_HEADER_BYTES + view.getUint32(at + 8, true)
  )
    starts.push(at);
  return starts;
}

/** The bytes that say what an object and its blocks are: its header, the first and the last block's, and the end's content. */
export function tellingBytes(bytes: Uint8Array): number[] {
  const starts = blockStarts(bytes);
  const first = Array.from({ length: OBJECT_HEADER_BYTES + BLOCK_HEADER_BYTES }, (_, at) => at);
  const last = starts.at(-1)!;
  const lastBlock = starts.at(-2)!;
  const headerOfLast = Array.from({ length: BLOCK_HEADER_BYTES }, (_, at) => lastBlock + at);
  const end = Array.from({ length: bytes.length - last }, (_, at) => last + at);
  return [...new Set([...first, ...headerOfLast, ...end])];
}
