/**
 * Remembers for a while which peers have stopped, so that an older sighting that is read late, from a snapshot or
 * from another tracker's journal, does not bring one back (rule D-S4).
 *
 *   fingerprint (53 bits of a keyed hash of info hash, family and endpoint) → second of the stop, its kind, its writer
 *
 * in two generations of a JavaScript Map: when the newer is full, it becomes the older, and the older goes. So a stop
 * is remembered for as long as there is room, and at most for as long as peers live. One that goes within the window
 * that the rule promises is counted. Remembers nothing while nobody needs it. A fingerprint that two peers share (about
 * 2^-36 for each sighting beside 100,000 stops) would keep a peer out until its next announce.
 */
import { type HashKey, halfSipHash } from '../../swarm/half-sip-hash.ts';
import type { Family } from '../../swarm/record.ts';
import { Company } from './company.ts';

/** Of one generation. */
const ENTRIES_MAX = 50_000;
/** The longest that PEER_TTL may be: what was heard before that is nobody's concern. */
const KEEP_SECONDS_MAX = 7_200;
const WINDOW_SECONDS_MIN = 120;
const WINDOW_INTERVALS = 3;

/** Info hash, then address and port, then the family, in 32-bit words. */
const WORDS = 5 + 5 + 1;
const ENDPOINT_AT = 20;
const WRITERS = 256;

export interface StopMemoryOptions {
  /** Secret of the hash. */
  readonly hashKey: HashKey;
  /** How often the journal goes out, 0 when there is none. */
  readonly journalSeconds: number;
  readonly entriesMax?: number;
}

export class StopMemory {
  /** While there is any, stops are remembered. */
  readonly company = new Company();
  /** Stops that were forgotten too early because there was no room for them. */
  overflows = 0;

  readonly #hashKeys: readonly [HashKey, HashKey];
  readonly #windowSeconds: number;
  readonly #entriesMax: number;
  readonly #words = new Uint32Array(WORDS);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  readonly #writers: string[] = [];
  #writersSeen = 0;
  #newer = new Map<number, number>();
  #older = new Map<number, number>();
  #newerSinceSeconds = 0;
  #olderUntilSeconds = 0;
  #isRestoring = true;

  constructor({ hashKey, journalSeconds, entriesMax = ENTRIES_MAX }: StopMemoryOptions) {
    this.#hashKeys = [hashKey, [hashKey[1], hashKey[0] ^ 0x5bd1e995]];
    this.#windowSeconds = Math.max(WINDOW_SECONDS_MIN, WINDOW_INTERVALS * journalSeconds);
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#newer.size + this.#older.size;
  }

  /** What was saved has been read; from now on only other writers are a reason to remember. */
  restoreHasSettled(): void {
    this.#isRestoring = false;
  }

  /**
   * Remembers that a peer stopped at `stoppedSeconds` (by this tracker's clock). `writer` is the boot that heard
   * it, `isSameSecond` says that it had heard the peer in that second before.
   */
  note(
    infoHash: Uint8Array,
    family: Family,
    endpoint: Uint8Array,
    stoppedSeconds: number,
    isSameSecond: boolean,
    writer: string,
    nowSeconds: number,
  ): void {
    if (!this.#isRestoring && !this.company.isThere(nowSeconds)) {
      if (this.size > 0) this.#clear();
      return;
    }
    this.#turnGenerations(nowSeconds);
    const fingerprint = this.#fingerprint(infoHash, family, endpoint);
    const known = this.#find(fingerprint);
    const stop = (stoppedSeconds * 2 + Number(isSameSecond)) * WRITERS + this.#numberOf(writer);
    if (known !== undefined && known > stop) return;
    this.#newer.set(fingerprint, stop);
  }

  /**
   * Whether a peer that is said to have been heard at `seenSeconds` has stopped since. `writer` is who heard it,
   * undefined when a snapshot says so. What the writer of the stop wrote after it, in the same second, counts.
   */
  hasStoppedSince(
    infoHash: Uint8Array,
    family: Family,
    endpoint: Uint8Array,
    seenSeconds: number,
    writer: string | undefined,
  ): boolean {
    if (this.size === 0) return false;
    const stop = this.#find(this.#fingerprint(infoHash, family, endpoint));
    if (stop === undefined) return false;
    const secondAndKind = Math.floor(stop / WRITERS);
    const stoppedSeconds = Math.floor(secondAndKind / 2);
    if (seenSeconds !== stoppedSeconds) return seenSeconds < stoppedSeconds;
    const isSameSecond = secondAndKind % 2 === 1;
    const isSameWriter = writer !== undefined && this.#numberOf(writer) === stop % WRITERS;
    return isSameSecond && !isSameWriter;
  }

  #turnGenerations(nowSeconds: number): void {
    if (this.#newer.size === 0) this.#newerSinceSeconds = nowSeconds;
    const isOld = nowSeconds - this.#newerSinceSeconds > KEEP_SECONDS_MAX;
    if (this.#newer.size < this.#entriesMax && !isOld) return;
    // While the restore runs nobody knows how long a stop will matter.
    const isEarly = this.#isRestoring || nowSeconds - this.#olderUntilSeconds < this.#windowSeconds;
    if (isEarly) this.overflows += this.#older.size;
    this.#older = this.#newer;
    this.#olderUntilSeconds = nowSeconds;
    this.#newer = new Map();
    this.#newerSinceSeconds = nowSeconds;
  }

  #clear(): void {
    this.#newer = new Map();
    this.#older = new Map();
  }

  #find(fingerprint: number): number | undefined {
    return this.#newer.get(fingerprint) ?? this.#older.get(fingerprint);
  }

  #fingerprint(infoHash: Uint8Array, family: Family, endpoint: Uint8Array): number {
    this.#bytes.fill(0);
    this.#bytes.set(infoHash);
    this.#bytes.set(endpoint, ENDPOINT_AT);
    this.#words[WORDS - 1] = family;
    const [first, second] = this.#hashKeys;
    const high = halfSipHash(first, this.#words, 0, WORDS) >>> 11;
    return high * 2 ** 32 + halfSipHash(second, this.#words, 0, WORDS);
  }

  /** A small number for a boot id; one of those long gone may be given again. */
  #numberOf(writer: string): number {
    const known = this.#writers.indexOf(writer);
    if (known >= 0) return known;
    const number = this.#writersSeen++ % WRITERS;
    this.#writers[number] = writer;
    return number;
  }
}
