/**
 * The query of a request, read where it lies: pairs between `&`, percent-escapes decoded byte by byte.
 * Promises to look at nothing outside [start, end), to allocate nothing per byte and never to throw, whatever
 * the bytes are. `+` is a literal plus and `;` an ordinary byte; no text encoding takes part, because an info
 * hash is 20 bytes and not a string. What a name means is left to the parsers of announce and scrape.
 */

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;
/** What each byte is worth as a hex digit; -1: it is none. */
const HEX_DIGITS = hexDigits();

/**
 * Walks the pairs of a query from left to right. Empty segments are skipped; a segment is split at its first
 * `=`, and one without is a name with an empty value. Names and values are still escaped.
 */
export class QueryCursor {
  nameStart = 0;
  nameEnd = 0;
  valueStart = 0;
  valueEnd = 0;

  readonly #bytes: Uint8Array;
  readonly #end: number;
  #next: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#end = end;
    this.#next = start;
  }

  /** Moves to the next pair; false when there is none. */
  next(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#next;
    while (at < end && bytes[at] === AMPERSAND) at++;
    if (at >= end) return false;
    this.nameStart = at;
    while (at < end && bytes[at] !== EQUALS && bytes[at] !== AMPERSAND) at++;
    this.nameEnd = at;
    if (at < end && bytes[at] === EQUALS) at++;
    this.valueStart = at;
    while (at < end && bytes[at] !== AMPERSAND) at++;
    this.valueEnd = at;
    this.#next = at + 1;
    return true;
  }
}

/**
 * The byte that `bytes[at]` stands for: itself, or what its escape says; negative when `%` is not followed by
 * two hex digits before `end`. `encodedWidth` tells how far the next one is.
 */
export function decodedByte(bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at];
  if (byte !== PERCENT) return byte;
  if (at + 2 >= end) return -1;
  // A digit that is none is -1, and what is ORed with it stays negative.
  return (HEX_DIGITS[bytes[at + 1]] << 4) | HEX_DIGITS[bytes[at + 2]];
}

/** How many bytes of the query the byte at `at` takes up: 3 for an escape, else 1. */
export function encodedWidth(bytes: Uint8Array, at: number): number {
  return bytes[at] === PERCENT ? 3 : 1;
}

/** Decodes [start, end) into `out`; true when it is exactly `out.length` bytes and every escape is whole. */
export function decodeExactly(bytes: Uint8Array, start: number, end: number, out: Uint8Array): boolean {
  let length = 0;
  for (let at = start; at < end; ) {
    if (length === out.length) return false;
    let byte = bytes[at++];
    if (byte === PERCENT) {
      if (at + 2 > end) return false;
      byte = (HEX_DIGITS[bytes[at]] << 4) | HEX_DIGITS[bytes[at + 1]];
      if (byte < 0) return false;
      at += 2;
    }
    out[length++] = byte;
  }
  return length === out.length;
}

/** Whether [start, end) decodes to exactly the bytes of `expected`. */
export function decodesTo(bytes: Uint8Array, start: number, end: number, expected: Uint8Array): boolean {
  let length = 0;
  if (end - start <= expected.length) {
    // Escapes only make it longer, so this short it has none or is another.
    if (end - start < expected.length) return false;
    for (; length < expected.length; length++) {
      const byte = bytes[start + length];
      if (byte !== expected[length] || byte === PERCENT) return false;
    }
    return true;
  }
  for (let at = start; at < end; at += encodedWidth(bytes, at)) {
    if (length === expected.length || decodedByte(bytes, at, end) !== expected[length]) return false;
    length++;
  }
  return length === expected.length;
}

/**
 * The unsigned decimal number in [start, end), or `max` when it is greater; -1 when the value is empty or holds
 * anything but digits (no sign, no space, no exponent).
 */
export function decodeDecimal(bytes: Uint8Array, start: number, end: number, max: number): number {
  if (start >= end) return -1;
  let value = 0;
  for (let at = start; at < end; at += encodedWidth(bytes, at)) {
    const digit = decodedByte(bytes, at, end) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = Math.min(value * 10 + digit, max);
  }
  return value;
}

function hexDigits(): Int8Array {
  const digits = new Int8Array(256).fill(-1);
  for (const [digit, character] of [...'0123456789abcdef'].entries()) {
    digits[character.charCodeAt(0)] = digit;
    digits[character.toUpperCase().charCodeAt(0)] = digit;
  }
  return digits;
}
