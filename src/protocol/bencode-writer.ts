/**
 * Bencode written by hand into memory that the caller owns, for the two answers that nearly all traffic asks for (BEP 3).
 * Each function writes from `at` and returns where what it wrote ends; there must be room.
 */
import { ascii } from './ascii.ts';

const COLON = 0x3a;
const INT32_MAX = 0x7fff_ffff;
const INT32_DIGITS_MAX = 10;

/** A byte string: its length, a colon, its bytes. */
export function writeString(bytes: Uint8Array, out: Uint8Array, at: number): number {
  at = writeInteger(bytes.length, out, at);
  out[at++] = COLON;
  out.set(bytes, at);
  return at + bytes.length;
}

/** For a few bytes a loop is quicker than `set`. */
export function writeBytes(bytes: Uint8Array, out: Uint8Array, at: number): number {
  for (let from = 0; from < bytes.length; from++) out[at++] = bytes[from]!;
  return at;
}

/** A whole number from 0 to 2^53 - 1 in decimal digits. */
export function writeInteger(value: number, out: Uint8Array, at: number): number {
  if (value > INT32_MAX) return writeBytes(ascii(String(value)), out, at);
  let rest = value | 0;
  let end = at + 1;
  for (let bound = 10; bound <= rest && end < at + INT32_DIGITS_MAX; bound *= 10) end++;
  for (let digitAt = end - 1; digitAt >= at; digitAt--) {
    const tenth = (rest / 10) | 0;
    out[digitAt] = 0x30 + (rest - tenth * 10);
    rest = tenth;
  }
  return end;
}
