/** Damage for stored objects, and objects that a later version might write. */
import { crc32 } from 'node:zlib';
import { HeaderAt, type ObjectKind } from '../../src/persistence/object-format.ts';

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
