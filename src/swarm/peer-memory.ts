/**
 * Who holds which block: the words through which a swarm's slot leads to its peers, kept right while blocks
 * move.
 *
 *   slot        | hash 5 | next | IPv4 | IPv6 | completed | last activity |              (10 words)
 *
 *   IPv4, IPv6  0: no such peers · a reference: one small block · a reference with BIG: a big block
 *               (with RETAINED: no peers at all, a link of retained-swarms.ts)
 *
 *   small block | owner | seeders, leechers and partial seeds | records: seeders, then leechers |
 *   big block   | owner | partial seeds | leechers | seeders | buckets of each | directory segments of each |
 *   segment     | owner | its number | references of buckets (0: an empty bucket) |
 *   bucket      | owner | records, its number | records |
 *
 * A block is published (its one reference written) before any other block of its class is freed, since freeing
 * may move it.
 *
 * A directory's segments double in size and never move, so that a swarm of any size grows without copying.
 * Every block's owner word says where the one reference to it is written; when the arena moves a block, that
 * reference is mended here and nowhere else.
 */
import { BLOCK_HEADER_WORDS, BlockArena } from './block-arena.ts';
import type { HashSlots } from './hash-slots.ts';
import { type Family, RECORD_BYTES } from './record.ts';

export const SLOT_WORDS = 10;
export const PEERS_WORD = 6;
export const COMPLETED_WORD = 8;
export const LAST_ACTIVITY_WORD = 9;

/** Marks of a slot's peers words; references stay below them. */
export const BIG = 0x80000000;
export const RETAINED = 0x40000000;
/** Slot numbers stand in 24 bits of an owner word. */
export const SLOTS_MAX = 1 << 24;

/** The two sets of a big swarm; the number is also the index of their words. */
export const LEECHERS = 0;
export const SEEDERS = 1;
export type RecordSet = typeof LEECHERS | typeof SEEDERS;

/** A swarm's peers of one family lie in one block up to so many. */
export const SMALL_PEERS_MAX = 160;
/** A bucket takes no more: its count must fit in eight bits. */
export const BUCKET_PEERS_MAX = 250;

/** How many records a block of each class takes. */
export const RECORD_CAPACITIES: readonly number[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64],
  ...[72, 80, 88, 96, 104, 112, 120, 128, 136, 144, 152, SMALL_PEERS_MAX],
  ...[176, 192, 208, 224, 240, BUCKET_PEERS_MAX],
];

const KIND_SMALL = 0;
const KIND_BIG = 1;
const KIND_BUCKET = 2;
const KIND_SEGMENT = 3;

const SEGMENT_ENTRIES_MIN = 8;
const SEGMENT_ENTRIES_MAX = 4096;
const SEGMENTS_MAX = 32;
const DOUBLING_SEGMENTS = 11;
const DOUBLING_ENTRIES = SEGMENT_ENTRIES_MAX * 2;
const BUCKETS_MAX = DOUBLING_ENTRIES + (SEGMENTS_MAX - DOUBLING_SEGMENTS) * SEGMENT_ENTRIES_MAX;

/** Payload words of a big block, from its reference. */
const BIG_PEERS = BLOCK_HEADER_WORDS;
const BIG_BUCKETS = BIG_PEERS + 2;
const BIG_SEGMENTS = BIG_BUCKETS + 2;
const BIG_WORDS = BIG_SEGMENTS + 2 * SEGMENTS_MAX;

const SEGMENT_ENTRIES = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, SEGMENT_ENTRIES_MAX];
const BIG_CLASS = 2 * RECORD_CAPACITIES.length;
const SEGMENT_CLASS = BIG_CLASS + 1;

const BLOCK_WORDS: readonly number[] = [
  ...RECORD_BYTES.flatMap((bytes) =>
    RECORD_CAPACITIES.map((capacity) => BLOCK_HEADER_WORDS + (capacity * bytes) / 4),
  ),
  BIG_WORDS,
  ...SEGMENT_ENTRIES.map((entries) => BLOCK_HEADER_WORDS + entries),
];

/** The smallest capacity class for each number of records. */
const CAPACITY_CLASS = Uint8Array.from({ length: BUCKET_PEERS_MAX + 1 }, (_, count) =>
  RECORD_CAPACITIES.findIndex((capacity) => capacity >= count),
);

/** Who must know when records of a big swarm change their place. */
export interface MoveListener {
  /** `count` records from word `at` are about to go from one bucket to another. */
  beforeMove(
    slot: number,
    family: Family,
    fromSet: RecordSet,
    fromBucket: number,
    toSet: RecordSet,
    toBucket: number,
    at: number,
    count: number,
  ): void;
  /** A bucket's records are about to go into one small block with all others of the swarm. */
  beforeCollapse(
    slot: number,
    family: Family,
    set: RecordSet,
    bucket: number,
    at: number,
    count: number,
  ): void;
  afterCollapse(slot: number, family: Family): void;
}

export class PeerMemory {
  readonly slots: HashSlots;
  readonly arena: BlockArena;
  readonly words: Uint32Array;
  /** The walk that is under way: it hears of every move by which it could miss a record. */
  moves: MoveListener | undefined;

  constructor(slots: HashSlots, arenaBytesMax: number) {
    this.slots = slots;
    this.arena = new BlockArena(arenaBytesMax, BLOCK_WORDS);
    this.words = this.arena.words;
  }

  /** The slot's peers word of the family: 0 when it has none. */
  peers(slot: number, family: Family): number {
    const word = this.slots.words[this.slots.base(slot) + PEERS_WORD + family];
    return word >= BIG || word < RETAINED ? word : 0;
  }

  setPeers(slot: number, family: Family, word: number): void {
    this.slots.words[this.slots.base(slot) + PEERS_WORD + family] = word;
  }

  hasPeers(slot: number): boolean {
    return this.peers(slot, 0) !== 0 || this.peers(slot, 1) !== 0;
  }

  /** The big block of the slot, or 0 when it has none. */
  big(slot: number, family: Family): number {
    const word = this.slots.words[this.slots.base(slot) + PEERS_WORD + family];
    return word >= BIG ? (word & ~BIG) >>> 0 : 0;
  }

  /** How many records the block of records at `ref` has room for. */
  capacity(ref: number): number {
    return RECORD_CAPACITIES[this.arena.classOf(ref) % RECORD_CAPACITIES.length];
  }

  /** A small block with room for `count` records, or 0 when memory is out; the slot does not know it yet. */
  allocateSmall(slot: number, family: Family, count: number): number {
    return this.#allocate(recordClass(family, count), owner(slot, family, KIND_SMALL, LEECHERS), 0);
  }

  /** A bucket with room for `count` records, or 0 when memory is out; the directory does not know it yet. */
  allocateBucket(slot: number, family: Family, set: RecordSet, bucket: number, count: number): number {
    return this.#allocate(recordClass(family, count), owner(slot, family, KIND_BUCKET, set), bucket << 8);
  }

  /** A big block with two sets of no buckets, or 0 when memory is out. */
  allocateBig(slot: number, family: Family): number {
    const big = this.#allocate(BIG_CLASS, owner(slot, family, KIND_BIG, LEECHERS), 0);
    if (big !== 0) this.words.fill(0, big + BLOCK_HEADER_WORDS, big + BIG_WORDS);
    return big;
  }

  /** Whether the block of records at `ref` has the size that `count` records call for. */
  isRightSize(ref: number, family: Family, count: number): boolean {
    return this.arena.classOf(ref) === recordClass(family, count);
  }

  /** Frees a block to which no reference is left. */
  free(ref: number): void {
    const moved = this.arena.free(ref);
    if (moved !== 0) this.#mend(ref);
  }

  setPeerCount(big: number, set: RecordSet): number {
    return this.words[big + BIG_PEERS + set];
  }

  changeSetPeerCount(big: number, set: RecordSet, change: number): void {
    this.words[big + BIG_PEERS + set] += change;
  }

  buckets(big: number, set: RecordSet): number {
    return this.words[big + BIG_BUCKETS + set];
  }

  bucket(big: number, set: RecordSet, bucket: number): number {
    return this.words[this.#entry(big, set, bucket)];
  }

  setBucket(big: number, set: RecordSet, bucket: number, ref: number): void {
    this.words[this.#entry(big, set, bucket)] = ref;
  }

  /** Adds an empty bucket at the directory's end; false when memory or the directory is out of room. */
  addBucket(slot: number, family: Family, big: number, set: RecordSet): boolean {
    const bucket = this.buckets(big, set);
    if (bucket === BUCKETS_MAX) return false;
    const segment = segmentOf(bucket);
    if (this.words[big + BIG_SEGMENTS + set * SEGMENTS_MAX + segment] === 0) {
      const sizeClass = SEGMENT_CLASS + Math.min(Math.max(segment - 1, 0), SEGMENT_ENTRIES.length - 1);
      const ref = this.#allocate(sizeClass, owner(slot, family, KIND_SEGMENT, set), segment);
      if (ref === 0) return false;
      this.words[big + BIG_SEGMENTS + set * SEGMENTS_MAX + segment] = ref;
    }
    this.words[big + BIG_BUCKETS + set] = bucket + 1;
    this.setBucket(big, set, bucket, 0);
    return true;
  }

  /** Takes the last bucket, which must be empty, off the directory. */
  dropBucket(big: number, set: RecordSet): void {
    const bucket = this.buckets(big, set) - 1;
    this.words[big + BIG_BUCKETS + set] = bucket;
    if (bucket !== segmentStart(segmentOf(bucket))) return;
    const entry = big + BIG_SEGMENTS + set * SEGMENTS_MAX + segmentOf(bucket);
    const segment = this.words[entry];
    this.words[entry] = 0;
    this.free(segment);
  }

  #allocate(sizeClass: number, ownerWord: number, counts: number): number {
    const ref = this.arena.allocate(sizeClass);
    if (ref === 0) return 0;
    this.words[ref] = ownerWord;
    this.words[ref + 1] = counts;
    return ref;
  }

  #entry(big: number, set: RecordSet, bucket: number): number {
    const segment = segmentOf(bucket);
    const ref = this.words[big + BIG_SEGMENTS + set * SEGMENTS_MAX + segment];
    return ref + BLOCK_HEADER_WORDS + bucket - segmentStart(segment);
  }

  /** Writes the reference of a block that has just been moved to `ref` where its owner word says. */
  #mend(ref: number): void {
    const ownerWord = this.words[ref];
    const slot = ownerWord >>> 4;
    const family = ((ownerWord >>> 3) & 1) as Family;
    const kind = (ownerWord >>> 1) & 3;
    const set = (ownerWord & 1) as RecordSet;
    if (kind === KIND_SMALL) {
      this.setPeers(slot, family, ref);
    } else if (kind === KIND_BIG) {
      this.setPeers(slot, family, (ref | BIG) >>> 0);
    } else if (kind === KIND_BUCKET) {
      this.setBucket(this.big(slot, family), set, this.words[ref + 1] >>> 8, ref);
    } else {
      const entry = this.big(slot, family) + BIG_SEGMENTS + set * SEGMENTS_MAX + this.words[ref + 1];
      this.words[entry] = ref;
    }
  }
}

function owner(slot: number, family: Family, kind: number, set: RecordSet): number {
  return ((slot << 4) | (family << 3) | (kind << 1) | set) >>> 0;
}

function recordClass(family: Family, count: number): number {
  return family * RECORD_CAPACITIES.length + CAPACITY_CLASS[count];
}

/** The directory segment of a bucket: 8, 8, 16, 32 … 4,096 entries, then 4,096 each. */
function segmentOf(bucket: number): number {
  if (bucket < SEGMENT_ENTRIES_MIN) return 0;
  if (bucket < DOUBLING_ENTRIES) return 29 - Math.clz32(bucket);
  return DOUBLING_SEGMENTS + Math.floor((bucket - DOUBLING_ENTRIES) / SEGMENT_ENTRIES_MAX);
}

function segmentStart(segment: number): number {
  if (segment === 0) return 0;
  if (segment < DOUBLING_SEGMENTS) return SEGMENT_ENTRIES_MIN << (segment - 1);
  return DOUBLING_ENTRIES + (segment - DOUBLING_SEGMENTS) * SEGMENT_ENTRIES_MAX;
}
