/**
 * Big swarms: the leechers and the seeders of one family, each set in buckets of about 64 to 130 records that
 * are scanned from end to end.
 *
 * Which bucket a peer belongs to follows from the keyed hash of its endpoint by linear hashing (Litwin 1980): a
 * set grows by splitting one bucket and shrinks by joining the last one to its source, so no call ever moves
 * more than one bucket's records, at any size of swarm. Seeders and leechers lie apart, so that a seeder's
 * reply, leechers only, is picked from full buckets even when one peer in a thousand is a leecher.
 */
import { BLOCK_HEADER_WORDS } from './block-arena.ts';
import { type HashKey, halfSipHash } from './half-sip-hash.ts';
import { linearHashAddress, splitSource } from './hash-slots.ts';
import { BUCKET_PEERS_MAX, type PeerMemory, type RecordSet } from './peer-memory.ts';
import type { RecordLayout } from './record.ts';

/** Peers a bucket on average at which a set splits one: buckets then hold some 64 to 130. */
const PEERS_PER_BUCKET_SPLIT = 97;
/** Below so many a set joins two. */
const PEERS_PER_BUCKET_JOIN = 48;

export class BucketSets {
  /** Where the last `find` found: bucket, index in it, word of the record. */
  foundBucket = 0;
  foundIndex = 0;
  foundAt = 0;
  /** How often each happened, for tests. */
  splits = 0;
  joins = 0;

  readonly #memory: PeerMemory;
  readonly #layout: RecordLayout;
  readonly #hashKey: HashKey;
  readonly #key: Uint32Array;

  constructor(memory: PeerMemory, layout: RecordLayout, hashKey: HashKey) {
    this.#memory = memory;
    this.#layout = layout;
    this.#hashKey = hashKey;
    this.#key = new Uint32Array(layout.portWord + 1);
  }

  peersIn(ref: number): number {
    return ref === 0 ? 0 : this.#memory.words[ref + 1] & 0xff;
  }

  /** Looks for the current endpoint; true when found. */
  find(big: number, set: RecordSet): boolean {
    const buckets = this.#memory.buckets(big, set);
    if (buckets === 0) return false;
    const bucket = linearHashAddress(this.#hash(this.#layout.current, 0), buckets);
    const ref = this.#memory.bucket(big, set, bucket);
    const first = ref + BLOCK_HEADER_WORDS;
    const index = this.#layout.find(this.#memory.words, first, this.peersIn(ref));
    if (index < 0) return false;
    this.foundBucket = bucket;
    this.foundIndex = index;
    this.foundAt = first + index * this.#layout.recordWords;
    return true;
  }

  /** The bucket that the current endpoint belongs to; 0 when the set has none yet. */
  bucketOfCurrent(big: number, set: RecordSet): number {
    const buckets = this.#memory.buckets(big, set);
    return buckets === 0 ? 0 : linearHashAddress(this.#hash(this.#layout.current, 0), buckets);
  }

  /** Writes the current record, which must not be in the set. False when its bucket or memory is full. */
  insert(slot: number, big: number, set: RecordSet, seenSeconds: number, flags: number): boolean {
    const memory = this.#memory;
    const layout = this.#layout;
    if (memory.buckets(big, set) === 0 && !memory.addBucket(slot, layout.family, big, set)) return false;
    const bucket = this.bucketOfCurrent(big, set);
    let ref = memory.bucket(big, set, bucket);
    const count = this.peersIn(ref);
    if (count === BUCKET_PEERS_MAX) return false;
    if (ref === 0 || count === memory.capacity(ref)) {
      ref = this.#resize(slot, big, set, bucket, count + 1);
      if (ref === 0) return false;
    }
    layout.writeCurrent(
      memory.words,
      ref + BLOCK_HEADER_WORDS + count * layout.recordWords,
      seenSeconds,
      flags,
    );
    memory.words[ref + 1] += 1;
    memory.changeSetPeerCount(big, set, 1);
    if (memory.setPeerCount(big, set) > memory.buckets(big, set) * PEERS_PER_BUCKET_SPLIT) {
      this.#split(slot, big, set);
    }
    return true;
  }

  /** Takes out one record; its bucket keeps its size until `settle`. */
  removeAt(big: number, set: RecordSet, bucket: number, index: number): void {
    const memory = this.#memory;
    const layout = this.#layout;
    const ref = memory.bucket(big, set, bucket);
    const last = this.peersIn(ref) - 1;
    const first = ref + BLOCK_HEADER_WORDS;
    if (index !== last) {
      layout.copy(memory.words, first + last * layout.recordWords, first + index * layout.recordWords);
    }
    memory.words[ref + 1] -= 1;
    memory.changeSetPeerCount(big, set, -1);
  }

  /** After removals: gives a bucket the size that it needs, and joins the last one to its source when sparse. */
  settle(slot: number, big: number, set: RecordSet, bucket: number): void {
    const memory = this.#memory;
    this.#fit(slot, big, set, bucket);
    const buckets = memory.buckets(big, set);
    if (buckets > 1 && memory.setPeerCount(big, set) < (buckets - 1) * PEERS_PER_BUCKET_JOIN) {
      this.#join(slot, big, set);
    }
  }

  /** Frees every bucket and segment of the set. */
  clear(big: number, set: RecordSet): void {
    const memory = this.#memory;
    while (memory.buckets(big, set) > 0) {
      this.#freeBucket(big, set, memory.buckets(big, set) - 1);
      memory.dropBucket(big, set);
    }
    memory.changeSetPeerCount(big, set, -memory.setPeerCount(big, set));
  }

  #hash(words: Uint32Array, at: number): number {
    const { portWord } = this.#layout;
    const key = this.#key;
    for (let index = 0; index < portWord; index++) key[index] = words[at + index];
    key[portWord] = words[at + portWord] & 0xffff;
    return halfSipHash(this.#hashKey, key, 0, portWord + 1);
  }

  /** Moves the bucket to a block with room for `count`; the new reference, or 0 when memory is out. */
  #resize(slot: number, big: number, set: RecordSet, bucket: number, count: number): number {
    const memory = this.#memory;
    const layout = this.#layout;
    const from = memory.bucket(big, set, bucket);
    const to = memory.allocateBucket(slot, layout.family, set, bucket, count);
    if (to === 0) return 0;
    memory.setBucket(big, set, bucket, to);
    if (from !== 0) {
      const peers = this.peersIn(from);
      memory.words[to + 1] += peers;
      memory.words.copyWithin(
        to + BLOCK_HEADER_WORDS,
        from + BLOCK_HEADER_WORDS,
        from + BLOCK_HEADER_WORDS + peers * layout.recordWords,
      );
      memory.free(from);
    }
    // Freeing may have moved the new block only if both were of one class, which a resize never asks for.
    return to;
  }

  #fit(slot: number, big: number, set: RecordSet, bucket: number): void {
    const memory = this.#memory;
    const ref = memory.bucket(big, set, bucket);
    if (ref === 0) return;
    const count = this.peersIn(ref);
    if (count === 0) this.#freeBucket(big, set, bucket);
    else if (!memory.isRightSize(ref, this.#layout.family, count))
      this.#resize(slot, big, set, bucket, count);
  }

  #freeBucket(big: number, set: RecordSet, bucket: number): void {
    const ref = this.#memory.bucket(big, set, bucket);
    if (ref === 0) return;
    this.#memory.setBucket(big, set, bucket, 0);
    this.#memory.free(ref);
  }

  /** Adds a bucket and divides its source's records between the two; does nothing when memory is out. */
  #split(slot: number, big: number, set: RecordSet): void {
    const memory = this.#memory;
    const layout = this.#layout;
    const { words } = memory;
    const { recordWords, family } = layout;
    const added = memory.buckets(big, set);
    if (!memory.addBucket(slot, family, big, set)) return;
    const source = splitSource(added);
    const from = memory.bucket(big, set, source);
    const count = this.peersIn(from);

    // Movers go to the block's end first, so that their number is known before memory is asked for.
    const first = from + BLOCK_HEADER_WORDS;
    let kept = 0;
    let end = count;
    while (kept < end) {
      const at = first + kept * recordWords;
      if (linearHashAddress(this.#hash(words, at), added + 1) !== added) {
        kept += 1;
        continue;
      }
      end -= 1;
      swapRecords(words, at, first + end * recordWords, recordWords);
    }
    const movers = count - kept;
    if (movers > 0) {
      const to = memory.allocateBucket(slot, family, set, added, movers);
      if (to === 0) {
        memory.dropBucket(big, set);
        return;
      }
      memory.setBucket(big, set, added, to);
      words[to + 1] += movers;
      words.copyWithin(to + BLOCK_HEADER_WORDS, first + kept * recordWords, first + count * recordWords);
      words[from + 1] -= movers;
    }
    this.#fit(slot, big, set, source);
    this.splits += 1;
  }

  /** Puts the last bucket's records back to its source; does nothing when they would not fit. */
  #join(slot: number, big: number, set: RecordSet): void {
    const memory = this.#memory;
    const { recordWords, family } = this.#layout;
    const last = memory.buckets(big, set) - 1;
    const into = splitSource(last);
    const from = memory.bucket(big, set, last);
    const movers = this.peersIn(from);
    const kept = this.peersIn(memory.bucket(big, set, into));
    if (movers + kept > BUCKET_PEERS_MAX) return;
    if (movers > 0) {
      memory.moves?.beforeMove(slot, family, set, last, set, into, from + BLOCK_HEADER_WORDS, movers);
      let to = memory.bucket(big, set, into);
      if (to === 0 || memory.capacity(to) < movers + kept) {
        to = this.#resize(slot, big, set, into, movers + kept);
        if (to === 0) return;
      }
      // Resizing may have moved the last bucket's block.
      const source = memory.bucket(big, set, last) + BLOCK_HEADER_WORDS;
      memory.words.copyWithin(
        to + BLOCK_HEADER_WORDS + kept * recordWords,
        source,
        source + movers * recordWords,
      );
      memory.words[to + 1] += movers;
      this.#freeBucket(big, set, last);
    }
    memory.dropBucket(big, set);
    this.joins += 1;
  }
}

function swapRecords(words: Uint32Array, one: number, other: number, recordWords: number): void {
  for (let index = 0; index < recordWords; index++) {
    const word = words[one + index];
    words[one + index] = words[other + index];
    words[other + index] = word;
  }
}
