/**
 * Slots of a fixed number of 32-bit words, found by a 20-byte info hash. A slot never moves and keeps its
 * number until it is removed, so a number can stand in for a reference.
 *
 *   words   | hash 0..4 | next | the owner's words … |  one slot after the other, reserved for `slotsMax`,
 *                                                       touched only as slots fill
 *   heads   first slot of each chain, plus one (0: no chain), one chain a slot on average
 *
 * The chains grow by linear hashing (Litwin 1980; Larson, "Dynamic hash tables", 1988): each insertion past
 * one slot a chain splits one chain in two, so there is never a moment at which the whole index is built anew,
 * and only as many of its pages are touched as there are slots. The hash is keyed (half-sip-hash.ts).
 */
import { type HashKey, halfSipHash } from './half-sip-hash.ts';

const INFO_HASH_WORDS = 5;
/** Words of a slot that are not its owner's: the hash and the chain. */
export const SLOT_HEADER_WORDS = 6;

const NEXT = 5;
const CHAINS_AT_START = 1024;
/** Of those that are made ahead of their slots. */
const CHAINS_PER_STEP = 1_024;

export interface HashSlotsOptions {
  readonly slotsMax: number;
  /** Words of one slot, the six of the header included. */
  readonly wordsPerSlot: number;
  readonly hashKey: HashKey;
}

export class HashSlots {
  /** Every slot's words; slot `s` begins at `base(s)`. */
  readonly words: Uint32Array;
  readonly slotsMax: number;
  /** Slots in use. */
  count = 0;
  /** One more than the highest slot number that was ever in use: what a walk over all slots must visit. */
  highWater = 0;

  readonly #wordsPerSlot: number;
  readonly #hashKey: HashKey;
  readonly #heads: Uint32Array;
  readonly #key = new Uint32Array(INFO_HASH_WORDS);
  #chains = CHAINS_AT_START;
  #freeHead = 0;

  /** Throws a RangeError when the memory cannot be reserved. */
  constructor(options: HashSlotsOptions) {
    this.slotsMax = options.slotsMax;
    this.#wordsPerSlot = options.wordsPerSlot;
    this.#hashKey = options.hashKey;
    this.words = new Uint32Array(new SharedArrayBuffer(options.slotsMax * options.wordsPerSlot * 4));
    this.#heads = new Uint32Array(new SharedArrayBuffer(Math.max(options.slotsMax, CHAINS_AT_START) * 4));
  }

  /** Bytes in use by slots and chains, touched or not by the operating system's reckoning. */
  get bytesInUse(): number {
    return this.highWater * this.#wordsPerSlot * 4 + this.#chains * 4;
  }

  /** Chains of the index now: grows with the slots in use. */
  get chains(): number {
    return this.#chains;
  }

  base(slot: number): number {
    return slot * this.#wordsPerSlot;
  }

  /** True when the slot holds a hash (a freed one is marked in its chain word). */
  isUsed(slot: number): boolean {
    return this.words[slot * this.#wordsPerSlot + NEXT] < FREE;
  }

  /** The slot of the hash, or -1. */
  find(hash: Uint8Array): number {
    this.#loadKey(hash);
    return this.#findKey(this.#chainOf(this.#key, 0));
  }

  /** The slot of the hash, made with its owner's words zero when there is none; -1 when all slots are taken. */
  insert(hash: Uint8Array): number {
    this.#loadKey(hash);
    let chain = this.#chainOf(this.#key, 0);
    const found = this.#findKey(chain);
    if (found >= 0) return found;
    const slot = this.#takeSlot();
    if (slot < 0) return -1;

    this.count += 1;
    if (this.count > this.#chains && this.#chains < this.#heads.length) {
      this.#split();
      chain = this.#chainOf(this.#key, 0);
    }
    const { words } = this;
    const base = this.base(slot);
    // A loop: for so few words a call of `set` and `fill` costs more.
    for (let index = 0; index < INFO_HASH_WORDS; index++) words[base + index] = this.#key[index];
    words[base + NEXT] = this.#heads[chain];
    for (let at = base + SLOT_HEADER_WORDS; at < base + this.#wordsPerSlot; at++) words[at] = 0;
    this.#heads[chain] = slot + 1;
    return slot;
  }

  /**
   * Makes a few more of the chains that so many slots will need; false when they are all there. Made ahead of the
   * slots they cost next to nothing: what grows with them is split a hash at a time.
   */
  expect(slots: number): boolean {
    const chainsWanted = Math.min(slots, this.#heads.length);
    const end = Math.min(chainsWanted, this.#chains + CHAINS_PER_STEP);
    while (this.#chains < end) this.#split();
    return this.#chains < chainsWanted;
  }

  /** Frees a slot that is in use; its number may be given out again. */
  remove(slot: number): void {
    const { words } = this;
    const base = this.base(slot);
    const chain = this.#chainOf(words, base);
    const next = words[base + NEXT];
    if (this.#heads[chain] === slot + 1) {
      this.#heads[chain] = next;
    } else {
      let before = this.base(this.#heads[chain] - 1);
      while (words[before + NEXT] !== slot + 1) before = this.base(words[before + NEXT] - 1);
      words[before + NEXT] = next;
    }
    words[base + NEXT] = FREE + this.#freeHead;
    this.#freeHead = slot + 1;
    this.count -= 1;
  }

  /** Copies the slot's 20-byte hash into `out` at `at`. */
  copyHash(slot: number, out: Uint8Array, at: number): void {
    const base = this.base(slot);
    for (let index = 0; index < INFO_HASH_WORDS; index++) {
      const word = this.words[base + index];
      out[at + index * 4] = word;
      out[at + index * 4 + 1] = word >>> 8;
      out[at + index * 4 + 2] = word >>> 16;
      out[at + index * 4 + 3] = word >>> 24;
    }
  }

  #loadKey(hash: Uint8Array): void {
    const key = this.#key;
    for (let index = 0, at = 0; index < INFO_HASH_WORDS; index++, at += 4) {
      key[index] = hash[at] | (hash[at + 1] << 8) | (hash[at + 2] << 16) | (hash[at + 3] << 24);
    }
  }

  #findKey(chain: number): number {
    const { words } = this;
    const key = this.#key;
    let link = this.#heads[chain];
    while (link !== 0) {
      const base = this.base(link - 1);
      if (
        words[base] === key[0] &&
        words[base + 1] === key[1] &&
        words[base + 2] === key[2] &&
        words[base + 3] === key[3] &&
        words[base + 4] === key[4]
      ) {
        return link - 1;
      }
      link = words[base + NEXT];
    }
    return -1;
  }

  #chainOf(words: Uint32Array, from: number): number {
    return linearHashAddress(halfSipHash(this.#hashKey, words, from, INFO_HASH_WORDS), this.#chains);
  }

  #takeSlot(): number {
    if (this.#freeHead !== 0) {
      const slot = this.#freeHead - 1;
      this.#freeHead = this.words[this.base(slot) + NEXT] - FREE;
      return slot;
    }
    if (this.highWater === this.slotsMax) return -1;
    this.highWater += 1;
    return this.highWater - 1;
  }

  /** Adds one chain and moves to it what now hashes there from the chain that it splits. */
  #split(): void {
    const { words } = this;
    const heads = this.#heads;
    const added = this.#chains;
    this.#chains += 1;
    const source = splitSource(added);
    let link = heads[source];
    let kept = 0;
    let moved = 0;
    while (link !== 0) {
      const base = this.base(link - 1);
      const next = words[base + NEXT];
      if (this.#chainOf(words, base) === added) {
        words[base + NEXT] = moved;
        moved = link;
      } else {
        words[base + NEXT] = kept;
        kept = link;
      }
      link = next;
    }
    heads[source] = kept;
    heads[added] = moved;
  }
}

/** Chain words from here on mark a freed slot and link it to the next freed one. */
const FREE = 0x80000000;

/** Where a hash belongs among `buckets` buckets of a linear-hashed table (Litwin 1980). */
export function linearHashAddress(hash: number, buckets: number): number {
  const level = 31 - Math.clz32(buckets);
  const address = hash & ((2 << level) - 1);
  return address < buckets ? address : hash & ((1 << level) - 1);
}

/** The bucket whose entries are divided when bucket `added` comes, and which takes them back when it goes. */
export function splitSource(added: number): number {
  return added - (1 << (31 - Math.clz32(added)));
}
