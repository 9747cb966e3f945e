/**
 * One list of info hashes, the banned or the allowed: per hash the latest change, whether it put the hash on the
 * list or took it off, when, and why (rules D-B1, D-B3).
 *
 *   slot of 7 words | hash 5 | chain 1 | change: its number × 2, + 1 when listed |
 *   changes         | seconds 4 | reason number 4 | hashes 4 |  one for each time and reason; how many hashes are listed by it
 *   reasons         | each text once
 *
 * So a hash costs 28 bytes and its share of the index, 32 at the most; a time and reason cost twelve bytes more,
 * once for all the hashes of a change. Pure: knows no clock, no store, and not what being on the list means.
 */
import { INFO_HASH_BYTES } from '../protocol/info-hash.ts';
import type { HashKey } from '../swarm/half-sip-hash.ts';
import { HashSlots, SLOT_HEADER_WORDS } from '../swarm/hash-slots.ts';

const CHANGE_WORD = SLOT_HEADER_WORDS;
const WORDS_PER_SLOT = SLOT_HEADER_WORDS + 1;
const CHANGES_AT_START = 256;

export interface HashListOptions {
  /** Hashes that the list can know, removed ones among them; memory is reserved for so many and touched as it fills. */
  readonly hashesMax: number;
  readonly hashKey: HashKey;
  /** Of two changes in the same second, which holds: the one that denies service. */
  readonly doesListedWinTie: boolean;
}

/** A change to some hashes of a list. */
export interface Change {
  readonly isListed: boolean;
  /** Seconds since the epoch, by the store's clock. */
  readonly atSeconds: number;
  /** Up to 200 bytes of UTF-8. */
  readonly reason: string;
}

export interface ListedHash extends Change {
  readonly infoHash: Uint8Array;
}

export interface HashPage {
  readonly hashes: readonly ListedHash[];
  /** Where the next page begins; undefined when nothing follows. */
  readonly next: number | undefined;
}

/** What became of a hash to which a change was applied. */
export const Applied = {
  /** It is now, or is no longer, on the list. */
  changed: 0,
  /** Newer time or other reason only. */
  restated: 1,
  /** A later change was known already. */
  outdated: 2,
  /** The list knows as many hashes as it can. */
  full: 3,
} as const;
export type Applied = (typeof Applied)[keyof typeof Applied];

export class HashList {
  readonly #slots: HashSlots;
  readonly #doesListedWinTie: boolean;
  /** Grows with every hash that a change was applied to. */
  changesApplied = 0;
  #listed = 0;

  #changeSeconds = new Uint32Array(CHANGES_AT_START);
  #changeReasons = new Uint32Array(CHANGES_AT_START);
  /** Hashes on the list whose latest change this is. */
  #changeListed = new Uint32Array(CHANGES_AT_START);
  #changes = 0;
  readonly #reasons: string[] = [];
  readonly #reasonNumbers = new Map<string, number>();

  constructor(options: HashListOptions) {
    this.#slots = new HashSlots({
      slotsMax: options.hashesMax,
      wordsPerSlot: WORDS_PER_SLOT,
      hashKey: options.hashKey,
    });
    this.#doesListedWinTie = options.doesListedWinTie;
  }

  /** Hashes on the list. */
  get size(): number {
    return this.#listed;
  }

  /** Hashes known, those taken off among them. */
  get known(): number {
    return this.#slots.count;
  }

  /** Bytes of memory in use by hashes and their index; the times and reasons of changes come on top. */
  get bytesInUse(): number {
    return this.#slots.bytesInUse;
  }

  /** Whether so many further hashes can be known. */
  hasRoomFor(hashes: number): boolean {
    return this.#slots.count + hashes <= this.#slots.slotsMax;
  }

  has(infoHash: Uint8Array): boolean {
    if (this.#listed === 0) return false;
    const slot = this.#slots.find(infoHash);
    return slot >= 0 && this.#isListed(slot);
  }

  /** The latest change of the hash, or undefined when none is known. */
  find(infoHash: Uint8Array): ListedHash | undefined {
    const slot = this.#slots.find(infoHash);
    return slot < 0 ? undefined : this.#read(slot);
  }

  /** When the hash was last changed; 0 when it never was. */
  newestSeconds(infoHash: Uint8Array): number {
    const slot = this.#slots.find(infoHash);
    return slot < 0 ? 0 : this.#changeSeconds[this.#changeOf(slot)]!;
  }

  /** Makes a time and a reason known and returns their number, for `apply`. */
  addChange(atSeconds: number, reason: string): number {
    const reasonNumber = this.#reasonNumber(reason);
    const last = this.#changes - 1;
    if (last >= 0 && this.#changeSeconds[last] === atSeconds && this.#changeReasons[last] === reasonNumber)
      return last;
    if (this.#changes === this.#changeSeconds.length) {
      this.#changeSeconds = grown(this.#changeSeconds);
      this.#changeReasons = grown(this.#changeReasons);
      this.#changeListed = grown(this.#changeListed);
    }
    this.#changeSeconds[this.#changes] = atSeconds;
    this.#changeReasons[this.#changes] = reasonNumber;
    this.#changes += 1;
    return this.#changes - 1;
  }

  /** Applies a change to one hash, unless a later one, or one that wins the tie, is known. */
  apply(infoHash: Uint8Array, isListed: boolean, change: number): Applied {
    const before = this.#slots.find(infoHash);
    const slot = before >= 0 ? before : this.#slots.insert(infoHash);
    if (slot < 0) return Applied.full;
    const wasListed = before >= 0 && this.#isListed(slot);
    if (before >= 0) {
      const known = this.#changeSeconds[this.#changeOf(slot)]!;
      const time = this.#changeSeconds[change]!;
      const doesTieWin = isListed === this.#doesListedWinTie || wasListed === isListed;
      if (time < known || (time === known && !doesTieWin)) return Applied.outdated;
    }
    this.changesApplied += 1;
    if (wasListed) this.#changeListed[this.#changeOf(slot)] -= 1;
    if (isListed) this.#changeListed[change] += 1;
    this.#slots.words[this.#slots.base(slot) + CHANGE_WORD] = change * 2 + (isListed ? 1 : 0);
    if (wasListed === isListed) return Applied.restated;
    this.#listed += isListed ? 1 : -1;
    return Applied.changed;
  }

  /** Hashes on the list that were put there, or confirmed, at `sinceSeconds` or later. Looks at changes, not at hashes. */
  listedSince(sinceSeconds: number): number {
    let listed = 0;
    for (let change = 0; change < this.#changes; change++) {
      if (this.#changeSeconds[change]! >= sinceSeconds) listed += this.#changeListed[change]!;
    }
    return listed;
  }

  /** Up to `countMax` hashes on the list from `cursor` (0, or a page's `next`) on, in no order that means anything. */
  page(cursor: number, countMax: number): HashPage {
    const hashes: ListedHash[] = [];
    let slot = cursor;
    for (; slot < this.#slots.highWater; slot++) {
      if (!this.#slots.isUsed(slot) || !this.#isListed(slot)) continue;
      if (hashes.length === countMax) return { hashes, next: slot };
      hashes.push(this.#read(slot));
    }
    return { hashes, next: undefined };
  }

  /** What the hash at `cursor` last changed to, removals included; undefined where there is none. */
  at(cursor: number): ListedHash | undefined {
    return this.#slots.isUsed(cursor) ? this.#read(cursor) : undefined;
  }

  /** The first cursor that `at` has no answer to. */
  get cursorEnd(): number {
    return this.#slots.highWater;
  }

  /** Forgets a hash that was taken off the list before `beforeSeconds`. True when there was one at `cursor`. */
  forgetRemoval(cursor: number, beforeSeconds: number): boolean {
    if (!this.#slots.isUsed(cursor) || this.#isListed(cursor)) return false;
    if (this.#changeSeconds[this.#changeOf(cursor)]! >= beforeSeconds) return false;
    this.#slots.remove(cursor);
    return true;
  }

  #isListed(slot: number): boolean {
    return (this.#slots.words[this.#slots.base(slot) + CHANGE_WORD]! & 1) === 1;
  }

  #changeOf(slot: number): number {
    return this.#slots.words[this.#slots.base(slot) + CHANGE_WORD]! >>> 1;
  }

  #read(slot: number): ListedHash {
    const infoHash = new Uint8Array(INFO_HASH_BYTES);
    this.#slots.copyHash(slot, infoHash, 0);
    const change = this.#changeOf(slot);
    return {
      infoHash,
      isListed: this.#isListed(slot),
      atSeconds: this.#changeSeconds[change]!,
      reason: this.#reasons[this.#changeReasons[change]!]!,
    };
  }

  #reasonNumber(reason: string): number {
    const known = this.#reasonNumbers.get(reason);
    if (known !== undefined) return known;
    this.#reasons.push(reason);
    this.#reasonNumbers.set(reason, this.#reasons.length - 1);
    return this.#reasons.length - 1;
  }
}

function grown(words: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(words.length * 2);
  larger.set(words);
  return larger;
}
