/**
 * One peer in memory: a packed record of 28 bytes (IPv4) or 40 bytes (IPv6), seen as 32-bit little-endian words.
 *
 *   IPv4 | address 4  | port 2 | seen 2 | peer id 20 |
 *   IPv6 | address 16 | port 2 | seen 2 | peer id 20 |
 *
 * Address and port are in network order, so the first 6 or 18 bytes are the entry of a compact reply (BEP 23,
 * BEP 7) as they stand. `seen` is little-endian: the low 14 bits of the second in which the peer was last
 * heard, and two flags. Fourteen bits tell ages up to 16,383 seconds apart; the table sees to it that none
 * grows older.
 */

export const IPV4 = 0;
export const IPV6 = 1;
export type Family = typeof IPV4 | typeof IPV6;

export const LEECHER = 0;
/** A leecher that wants no more: it downloaded the files that it chose (BEP 21). */
export const PARTIAL_SEED = 1;
export const SEEDER = 2;
export type Role = typeof LEECHER | typeof PARTIAL_SEED | typeof SEEDER;

export const PEER_ID_BYTES = 20;
export const PORT_BYTES = 2;
export const SEEN_BYTES = 2;
/** Address and port, by family. */
export const ENDPOINT_BYTES: readonly number[] = [6, 18];
export const RECORD_BYTES: readonly number[] = [28, 40];

export const AGE_SECONDS_MAX = 0x3fff;
/** This peer's completion has been counted. */
export const COMPLETED_ONCE = 0x4000;
export const IS_PARTIAL_SEED = 0x8000;
/** What of `seen` is no second. */
export const FLAG_BITS = COMPLETED_ONCE | IS_PARTIAL_SEED;

const PEER_ID_WORDS = 5;

/** The words of one family's records, and the record that is being written or looked for. */
export class RecordLayout {
  readonly family: Family;
  readonly recordWords: number;
  /** The word that holds port and `seen`; the words before it are the address. */
  readonly portWord: number;
  /** The record at hand: its endpoint is the key of every search. */
  readonly current: Uint32Array;
  /** The same memory as bytes, which are those of the record on every machine that Node runs on. */
  readonly currentBytes: Uint8Array;

  constructor(family: Family) {
    this.family = family;
    this.recordWords = RECORD_BYTES[family] / 4;
    this.portWord = this.recordWords - PEER_ID_WORDS - 1;
    this.current = new Uint32Array(this.recordWords);
    this.currentBytes = new Uint8Array(this.current.buffer);
  }

  /** Takes an endpoint (6 or 18 bytes at `at`) as the current record's. */
  loadEndpoint(endpoint: Uint8Array, at: number): void {
    const { current, portWord } = this;
    for (let index = 0; index < portWord; index++, at += 4) current[index] = littleEndianWord(endpoint, at);
    current[portWord] = endpoint[at] | (endpoint[at + 1] << 8);
  }

  /** Takes a peer id (20 bytes at `at`) as the current record's. */
  loadPeerId(peerId: Uint8Array, at: number): void {
    const { current, portWord } = this;
    for (let index = 1; index <= PEER_ID_WORDS; index++, at += 4) {
      current[portWord + index] = littleEndianWord(peerId, at);
    }
  }

  /** The index of the current endpoint among the `count` records that begin at word `from`, or -1. */
  find(words: Uint32Array, from: number, count: number): number {
    const { current, recordWords, portWord } = this;
    const address = current[0];
    const port = current[portWord] & 0xffff;
    for (let index = 0, at = from; index < count; index++, at += recordWords) {
      if (words[at] !== address || (words[at + portWord] & 0xffff) !== port) continue;
      if (portWord === 1 || this.#hasCurrentAddress(words, at)) return index;
    }
    return -1;
  }

  /** Whether the record at word `at` has the current peer id. */
  hasCurrentPeerId(words: Uint32Array, at: number): boolean {
    const { current, portWord, recordWords } = this;
    for (let index = portWord + 1; index < recordWords; index++) {
      if (words[at + index] !== current[index]) return false;
    }
    return true;
  }

  /** Writes the current record, its flags and the second in which it was heard to word `at`. */
  writeCurrent(words: Uint32Array, at: number, seenSeconds: number, flags: number): void {
    const { current, portWord, recordWords } = this;
    current[portWord] = (current[portWord] & 0xffff) | (((seenSeconds & AGE_SECONDS_MAX) | flags) << 16);
    for (let index = 0; index < recordWords; index++) words[at + index] = current[index];
  }

  copy(words: Uint32Array, from: number, to: number): void {
    for (let index = 0; index < this.recordWords; index++) words[to + index] = words[from + index];
  }

  flags(words: Uint32Array, at: number): number {
    return (words[at + this.portWord] >>> 16) & (COMPLETED_ONCE | IS_PARTIAL_SEED);
  }

  /** Seconds since the record's peer was heard. */
  ageSeconds(words: Uint32Array, at: number, now: number): number {
    return (now - (words[at + this.portWord] >>> 16)) & AGE_SECONDS_MAX;
  }

  #hasCurrentAddress(words: Uint32Array, at: number): boolean {
    const { current, portWord } = this;
    for (let index = 1; index < portWord; index++) if (words[at + index] !== current[index]) return false;
    return true;
  }
}

function littleEndianWord(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
