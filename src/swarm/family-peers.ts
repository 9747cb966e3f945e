/**
 * The peers of one address family in all swarms: looked up, added, refreshed and removed, in one small block a
 * swarm or, past 160, in the buckets of a big one (bucket-sets.ts). Memory's shape is peer-memory.ts's.
 *
 * Calls come in pairs: `load…` names the peer, `locate` finds it, and then `refresh` or `removeLocated` acts on
 * what was found. Nothing else may happen between them.
 */
import { BLOCK_HEADER_WORDS } from './block-arena.ts';
import { BucketSets } from './bucket-sets.ts';
import type { HashKey } from './half-sip-hash.ts';
import { BIG, LEECHERS, type PeerMemory, type RecordSet, SEEDERS, SMALL_PEERS_MAX } from './peer-memory.ts';
import {
  COMPLETED_ONCE,
  type Family,
  IS_PARTIAL_SEED,
  PARTIAL_SEED,
  RecordLayout,
  type Role,
  SEEDER,
} from './record.ts';

/** A big swarm that has shrunk to so many goes back to one small block. */
const COLLAPSE_PEERS = 96;
/** Pages that a promotion may take: one of every size that its growing buckets pass through, and to spare. */
const PROMOTION_PAGES = 40;

/** A small block's counts word: peers, seeders and partial seeds, a byte each. */
const ONE_PEER = 1;
const ONE_SEEDER = 1 << 8;
const ONE_PARTIAL_SEED = 1 << 16;

export class FamilyPeers {
  readonly layout: RecordLayout;
  readonly sets: BucketSets;
  /** Totals over all swarms. */
  peers = 0;
  seeders = 0;
  /** How often each happened, for tests. */
  promotions = 0;
  collapses = 0;

  readonly #memory: PeerMemory;
  /** Room for the records of a swarm that is being taken apart, and for the record that waits meanwhile. */
  readonly #apart: Uint32Array;
  readonly #waiting: Uint32Array;

  /** What `locate` found: the record's word, its index and where that is. */
  #slot = 0;
  #at = 0;
  #index = 0;
  #isSeeder = false;
  #inBig = false;
  #bucket = 0;

  constructor(family: Family, memory: PeerMemory, hashKey: HashKey) {
    this.layout = new RecordLayout(family);
    this.#memory = memory;
    this.sets = new BucketSets(memory, this.layout, hashKey);
    this.#apart = new Uint32Array(SMALL_PEERS_MAX * this.layout.recordWords);
    this.#waiting = new Uint32Array(this.layout.recordWords);
  }

  // --- counts of one swarm

  peersOf(slot: number): number {
    const word = this.#memory.peers(slot, this.layout.family);
    if (word === 0) return 0;
    if (word < BIG) return this.#memory.words[word + 1] & 0xff;
    const big = this.#memory.big(slot, this.layout.family);
    return this.#memory.setPeerCount(big, LEECHERS) + this.#memory.setPeerCount(big, SEEDERS);
  }

  seedersOf(slot: number): number {
    const word = this.#memory.peers(slot, this.layout.family);
    if (word === 0) return 0;
    if (word < BIG) return (this.#memory.words[word + 1] >>> 8) & 0xff;
    return this.#memory.setPeerCount(this.#memory.big(slot, this.layout.family), SEEDERS);
  }

  partialSeedsOf(slot: number): number {
    const word = this.#memory.peers(slot, this.layout.family);
    if (word === 0) return 0;
    if (word < BIG) return (this.#memory.words[word + 1] >>> 16) & 0xff;
    return this.#memory.words[this.#memory.big(slot, this.layout.family) + 1];
  }

  // --- one peer

  load(endpoint: Uint8Array, endpointAt: number, peerId: Uint8Array, peerIdAt: number): void {
    this.layout.loadEndpoint(endpoint, endpointAt);
    this.layout.loadPeerId(peerId, peerIdAt);
  }

  /** Finds the current endpoint in the swarm; in a big one the set named first is looked through first. */
  locate(slot: number, seedersFirst: boolean): boolean {
    const memory = this.#memory;
    const word = memory.peers(slot, this.layout.family);
    if (word === 0) return false;
    this.#slot = slot;
    this.#inBig = word >= BIG;
    if (this.#inBig) {
      const big = memory.big(slot, this.layout.family);
      this.#isSeeder = seedersFirst;
      if (this.sets.find(big, seedersFirst ? SEEDERS : LEECHERS)) return this.#takeFound();
      this.#isSeeder = !seedersFirst;
      if (this.sets.find(big, seedersFirst ? LEECHERS : SEEDERS)) return this.#takeFound();
      return false;
    }
    const counts = memory.words[word + 1];
    const first = word + BLOCK_HEADER_WORDS;
    this.#index = this.layout.find(memory.words, first, counts & 0xff);
    this.#at = first + this.#index * this.layout.recordWords;
    this.#isSeeder = this.#index < ((counts >>> 8) & 0xff);
    return this.#index >= 0;
  }

  /** The word of the located record, and whether it is a seeder's. */
  get locatedAt(): number {
    return this.#at;
  }

  get locatedIsSeeder(): boolean {
    return this.#isSeeder;
  }

  /** The located record's bucket in a big swarm, and its index in its block. */
  get locatedBucket(): number {
    return this.#bucket;
  }

  get locatedIndex(): number {
    return this.#index;
  }

  /**
   * Writes the current peer over the located one. True when this counts a completion: none was counted for this
   * peer id on this endpoint.
   */
  refresh(role: Role, isCompletion: boolean, seenSeconds: number): boolean {
    const { words } = this.#memory;
    const before = this.layout.flags(words, this.#at);
    const wasCompleted = this.isCompletedLocated;
    let flags = wasCompleted || isCompletion ? COMPLETED_ONCE : 0;
    if (role === PARTIAL_SEED) flags |= IS_PARTIAL_SEED;
    this.#rewrite(role === SEEDER, before, flags, seenSeconds);
    return isCompletion && !wasCompleted;
  }

  /** Writes the current record over the located one, flags as given (a restored peer). */
  overwrite(isSeeder: boolean, flags: number, seenSeconds: number): void {
    this.#rewrite(isSeeder, this.layout.flags(this.#memory.words, this.#at), flags, seenSeconds);
  }

  /** Remembers of the located record that its completion was counted, if it is the current peer's. */
  markCompleted(): void {
    const { words } = this.#memory;
    if (!this.layout.hasCurrentPeerId(words, this.#at)) return;
    words[this.#at + this.layout.portWord] |= COMPLETED_ONCE << 16;
  }

  /** Whether the located record is the current peer's and its completion was counted. */
  get isCompletedLocated(): boolean {
    const { words } = this.#memory;
    const isCounted = (this.layout.flags(words, this.#at) & COMPLETED_ONCE) !== 0;
    return isCounted && this.layout.hasCurrentPeerId(words, this.#at);
  }

  ageOfLocated(now: number): number {
    return this.layout.ageSeconds(this.#memory.words, this.#at, now);
  }

  /** Adds the current peer, which must not be in the swarm. False when memory or its bucket is full. */
  add(slot: number, isSeeder: boolean, flags: number, seenSeconds: number): boolean {
    const memory = this.#memory;
    if (memory.peers(slot, this.layout.family) < BIG && this.peersOf(slot) === SMALL_PEERS_MAX) {
      this.#promote(slot);
    }
    const big = memory.big(slot, this.layout.family);
    const isAdded =
      big === 0
        ? this.#addToSmall(slot, isSeeder, flags, seenSeconds)
        : this.sets.insert(slot, big, isSeeder ? SEEDERS : LEECHERS, seenSeconds, flags);
    if (!isAdded) return false;
    if (big !== 0 && (flags & IS_PARTIAL_SEED) !== 0) memory.words[big + 1] += 1;
    this.peers += 1;
    if (isSeeder) this.seeders += 1;
    return true;
  }

  /**
   * Adds packed records that lie side by side, seeders first, to a swarm that has no peers of this family. They are at
   * most SMALL_PEERS_MAX, and their endpoints differ. False when memory is out.
   */
  addAll(slot: number, seeders: number, leechers: number, records: Uint8Array, at: number): boolean {
    const memory = this.#memory;
    const { family, recordWords } = this.layout;
    const count = seeders + leechers;
    const ref = memory.allocateSmall(slot, family, count);
    if (ref === 0) return false;
    const first = ref + BLOCK_HEADER_WORDS;
    const end = first + count * recordWords;
    memory.arena.copyIn(records, at, first, end);
    let counts = count * ONE_PEER + seeders * ONE_SEEDER;
    for (let record = first; record < end; record += recordWords) {
      if ((this.layout.flags(memory.words, record) & IS_PARTIAL_SEED) !== 0) counts += ONE_PARTIAL_SEED;
    }
    memory.words[ref + 1] = counts;
    memory.setPeers(slot, family, ref);
    this.peers += count;
    this.seeders += seeders;
    return true;
  }

  removeLocated(): void {
    const slot = this.#slot;
    if (!this.#inBig) {
      this.removeFromSmall(slot, this.#index);
      this.settleSmall(slot);
      return;
    }
    const set = this.#isSeeder ? SEEDERS : LEECHERS;
    const bucket = this.#bucket;
    this.removeFromBucket(slot, set, bucket, this.#index);
    this.settleBig(slot, set, bucket);
  }

  /** Removes the peer whose record is at word `at`; the current record stays what it was. */
  removeRecordAt(slot: number, at: number): void {
    const { current, recordWords } = this.layout;
    this.#waiting.set(current);
    for (let word = 0; word < recordWords; word++) current[word] = this.#memory.words[at + word];
    this.locate(slot, false);
    this.removeLocated();
    current.set(this.#waiting);
  }

  /** Removes every peer of the swarm. */
  clear(slot: number): void {
    const memory = this.#memory;
    const word = memory.peers(slot, this.layout.family);
    if (word === 0) return;
    this.peers -= this.peersOf(slot);
    this.seeders -= this.seedersOf(slot);
    if (word >= BIG) {
      this.#freeBig(slot);
    } else {
      memory.setPeers(slot, this.layout.family, 0);
      memory.free(word);
    }
  }

  // --- records by place, for purge and eviction

  /** Takes out the record at `index` of the small block, which keeps its size until `settleSmall`. */
  removeFromSmall(slot: number, index: number): void {
    const memory = this.#memory;
    const { words } = memory;
    const { recordWords } = this.layout;
    const ref = memory.peers(slot, this.layout.family);
    const counts = words[ref + 1];
    const first = ref + BLOCK_HEADER_WORDS;
    const last = (counts & 0xff) - 1;
    const lastSeeder = ((counts >>> 8) & 0xff) - 1;
    let change = ONE_PEER;
    if ((this.layout.flags(words, first + index * recordWords) & IS_PARTIAL_SEED) !== 0) {
      change += ONE_PARTIAL_SEED;
    }
    let hole = index;
    if (index <= lastSeeder) {
      this.layout.copy(words, first + lastSeeder * recordWords, first + index * recordWords);
      hole = lastSeeder;
      change += ONE_SEEDER;
      this.seeders -= 1;
    }
    this.layout.copy(words, first + last * recordWords, first + hole * recordWords);
    words[ref + 1] = counts - change;
    this.peers -= 1;
  }

  settleSmall(slot: number): void {
    const memory = this.#memory;
    const ref = memory.peers(slot, this.layout.family);
    const count = memory.words[ref + 1] & 0xff;
    if (count === 0) {
      memory.setPeers(slot, this.layout.family, 0);
      memory.free(ref);
    } else if (!memory.isRightSize(ref, this.layout.family, count)) {
      this.#resizeSmall(slot, ref, count);
    }
  }

  /** Takes out one record of a big swarm; its bucket keeps its size until `settleBig`. */
  removeFromBucket(slot: number, set: RecordSet, bucket: number, index: number): void {
    const memory = this.#memory;
    const big = memory.big(slot, this.layout.family);
    const at = memory.bucket(big, set, bucket) + BLOCK_HEADER_WORDS + index * this.layout.recordWords;
    if ((this.layout.flags(memory.words, at) & IS_PARTIAL_SEED) !== 0) memory.words[big + 1] -= 1;
    this.sets.removeAt(big, set, bucket, index);
    this.peers -= 1;
    if (set === SEEDERS) this.seeders -= 1;
  }

  settleBig(slot: number, set: RecordSet, bucket: number): void {
    this.sets.settle(slot, this.#memory.big(slot, this.layout.family), set, bucket);
    if (this.peersOf(slot) <= COLLAPSE_PEERS) this.#collapse(slot);
  }

  // --- inside

  #takeFound(): true {
    this.#bucket = this.sets.foundBucket;
    this.#index = this.sets.foundIndex;
    this.#at = this.sets.foundAt;
    return true;
  }

  #rewrite(isSeeder: boolean, flagsBefore: number, flags: number, seenSeconds: number): void {
    const memory = this.#memory;
    const partialChange =
      Number((flags & IS_PARTIAL_SEED) !== 0) - Number((flagsBefore & IS_PARTIAL_SEED) !== 0);
    if (!this.#inBig) {
      const ref = memory.peers(this.#slot, this.layout.family);
      memory.words[ref + 1] += partialChange * ONE_PARTIAL_SEED;
      if (isSeeder !== this.#isSeeder) this.#flipInSmall(ref);
      this.layout.writeCurrent(memory.words, this.#at, seenSeconds, flags);
      return;
    }
    const big = memory.big(this.#slot, this.layout.family);
    memory.words[big + 1] += partialChange;
    if (isSeeder === this.#isSeeder) {
      this.layout.writeCurrent(memory.words, this.#at, seenSeconds, flags);
    } else {
      this.#moveBetweenSets(big, isSeeder, seenSeconds, flags);
    }
  }

  /** Moves the located record across the line between seeders and leechers. */
  #flipInSmall(ref: number): void {
    const { words } = this.#memory;
    const { recordWords } = this.layout;
    const seeders = (words[ref + 1] >>> 8) & 0xff;
    const boundary = ref + BLOCK_HEADER_WORDS + (this.#isSeeder ? seeders - 1 : seeders) * recordWords;
    this.layout.copy(words, boundary, this.#at);
    this.#at = boundary;
    words[ref + 1] += this.#isSeeder ? -ONE_SEEDER : ONE_SEEDER;
    this.seeders += this.#isSeeder ? -1 : 1;
  }

  /** Puts the located peer into the other set; one that finds no room there is not kept. */
  #moveBetweenSets(big: number, isSeeder: boolean, seenSeconds: number, flags: number): void {
    const memory = this.#memory;
    const slot = this.#slot;
    const from = isSeeder ? LEECHERS : SEEDERS;
    const to = isSeeder ? SEEDERS : LEECHERS;
    const bucket = this.#bucket;
    const toBucket = this.sets.bucketOfCurrent(big, to);
    memory.moves?.beforeMove(slot, this.layout.family, from, bucket, to, toBucket, this.#at, 1);
    if (!this.sets.insert(slot, big, to, seenSeconds, flags)) {
      // An insertion that fails has moved nothing: the record is still where it was found.
      this.layout.writeCurrent(memory.words, this.#at, seenSeconds, flags);
      return;
    }
    this.sets.removeAt(big, from, bucket, this.#index);
    this.seeders += isSeeder ? 1 : -1;
    this.sets.settle(slot, big, from, bucket);
  }

  #addToSmall(slot: number, isSeeder: boolean, flags: number, seenSeconds: number): boolean {
    const memory = this.#memory;
    const { words } = memory;
    const { recordWords, family } = this.layout;
    let ref = memory.peers(slot, family);
    const count = ref === 0 ? 0 : words[ref + 1] & 0xff;
    if (count === SMALL_PEERS_MAX) return false;
    if (ref === 0 || count === memory.capacity(ref)) {
      ref = this.#resizeSmall(slot, ref, count + 1);
      if (ref === 0) return false;
    }
    const counts = words[ref + 1];
    const first = ref + BLOCK_HEADER_WORDS;
    let at = first + count * recordWords;
    let change = ONE_PEER;
    if (isSeeder) {
      const firstLeecher = first + ((counts >>> 8) & 0xff) * recordWords;
      if (firstLeecher !== at) this.layout.copy(words, firstLeecher, at);
      at = firstLeecher;
      change += ONE_SEEDER;
    }
    if ((flags & IS_PARTIAL_SEED) !== 0) change += ONE_PARTIAL_SEED;
    this.layout.writeCurrent(words, at, seenSeconds, flags);
    words[ref + 1] = counts + change;
    return true;
  }

  /** Moves the small block (0: there is none yet) to one with room for `count`; 0 when memory is out. */
  #resizeSmall(slot: number, from: number, count: number): number {
    const memory = this.#memory;
    const { words } = memory;
    const to = memory.allocateSmall(slot, this.layout.family, count);
    if (to === 0) return 0;
    memory.setPeers(slot, this.layout.family, to);
    if (from !== 0) {
      const peers = words[from + 1] & 0xff;
      words[to + 1] = words[from + 1];
      words.copyWithin(
        to + BLOCK_HEADER_WORDS,
        from + BLOCK_HEADER_WORDS,
        from + BLOCK_HEADER_WORDS + peers * this.layout.recordWords,
      );
      memory.free(from);
    }
    return to;
  }

  /** Makes a full small swarm big; leaves it as it is when memory might not last. */
  #promote(slot: number): void {
    const memory = this.#memory;
    const { words } = memory;
    const { family, recordWords, portWord, current } = this.layout;
    if (memory.arena.pagesFree < PROMOTION_PAGES) return;
    const small = memory.peers(slot, family);
    const counts = words[small + 1];
    const seeders = (counts >>> 8) & 0xff;
    const first = small + BLOCK_HEADER_WORDS;
    this.#apart.set(words.subarray(first, first + SMALL_PEERS_MAX * recordWords));
    // The current record is needed again afterwards: it is the one that makes the swarm too large.
    this.#waiting.set(current);

    memory.setPeers(slot, family, 0);
    memory.free(small);
    const big = memory.allocateBig(slot, family);
    memory.setPeers(slot, family, (big | BIG) >>> 0);
    for (let index = 0; index < SMALL_PEERS_MAX; index++) {
      const at = index * recordWords;
      for (let word = 0; word < recordWords; word++) current[word] = this.#apart[at + word];
      const set = index < seeders ? SEEDERS : LEECHERS;
      this.sets.insert(slot, big, set, current[portWord] >>> 16, this.layout.flags(this.#apart, at));
    }
    words[big + 1] = counts >>> 16;
    current.set(this.#waiting);
    this.promotions += 1;
  }

  /** Puts what is left of a big swarm into one small block, or nothing at all when nothing is left. */
  #collapse(slot: number): void {
    const memory = this.#memory;
    const { words } = memory;
    const { family, recordWords } = this.layout;
    // One free page is enough for any block, so that what was taken apart can be put together.
    if (memory.arena.pagesFree === 0 && this.peersOf(slot) > 0) return;
    const big = memory.big(slot, family);
    const partialSeeds = words[big + 1];
    const apart = this.#apart;
    let count = 0;
    let seeders = 0;
    for (const set of [SEEDERS, LEECHERS] as const) {
      for (let bucket = 0; bucket < memory.buckets(big, set); bucket++) {
        const ref = memory.bucket(big, set, bucket);
        const peers = this.sets.peersIn(ref);
        if (peers === 0) continue;
        const first = ref + BLOCK_HEADER_WORDS;
        memory.moves?.beforeCollapse(slot, family, set, bucket, first, peers);
        apart.set(words.subarray(first, first + peers * recordWords), count * recordWords);
        count += peers;
        if (set === SEEDERS) seeders += peers;
      }
    }
    memory.moves?.afterCollapse(slot, family);
    this.#freeBig(slot);
    this.collapses += 1;
    if (count === 0) return;
    const small = memory.allocateSmall(slot, family, count);
    memory.setPeers(slot, family, small);
    words[small + 1] = count | (seeders << 8) | (partialSeeds << 16);
    words.set(apart.subarray(0, count * recordWords), small + BLOCK_HEADER_WORDS);
  }

  /** Frees the big block, its buckets and segments; the slot then has no peers of this family. */
  #freeBig(slot: number): void {
    const memory = this.#memory;
    const big = memory.big(slot, this.layout.family);
    this.sets.clear(big, LEECHERS);
    this.sets.clear(big, SEEDERS);
    memory.setPeers(slot, this.layout.family, 0);
    memory.free(big);
  }
}
