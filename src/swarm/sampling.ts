/**
 * Peers for a reply: each one of the swarm equally likely, none twice, never the asker, taken in runs of
 * neighbours from several random places.
 *
 * One long run would always show the same neighbours together; fifty single picks would touch fifty cache
 * lines. How the places are drawn:
 *
 * - Few blocks (every small swarm, big ones up to 16 buckets): the candidates form a circle. Runs and gaps of
 *   random size are laid around it from a start that is uniform over the circle, so each candidate is in the
 *   sample with the same probability, exactly.
 * - Many buckets: a bucket and a place in it are drawn and rejected in such proportion that every candidate is
 *   equally likely to be in the run; a run that overlaps an earlier one is drawn again. That second draw moves
 *   probabilities by less than the share of overlapping runs times the difference between buckets, far below
 *   one percent at 16 buckets and vanishing beyond.
 * - From seeders and leechers of a big swarm together: how many of each is drawn first, as picks without
 *   replacement would fall (the hypergeometric distribution).
 */
import { BLOCK_HEADER_WORDS } from './block-arena.ts';
import type { FamilyPeers } from './family-peers.ts';
import { BIG, BUCKET_PEERS_MAX, LEECHERS, type PeerMemory, type RecordSet, SEEDERS } from './peer-memory.ts';

/** Uniform 32-bit unsigned integers. */
export type Random = () => number;

/** Runs a sample is taken in at least, when it is large enough to have them. */
const RUNS_MIN = 4;
const RUN_PEERS = 10;
const RUNS_MAX = 128;
/** Up to so many buckets the exact way is also the quick one. */
const EXACT_BUCKETS_MAX = 16;
const DRAWS_MAX_PER_RUN = 40;

/** A uniform integer from 0 to `limit` - 1. */
export function randomBelow(random: Random, limit: number): number {
  return Math.floor((random() / 0x1_0000_0000) * limit);
}

export class Sampler {
  readonly #memory: PeerMemory;
  readonly #random: Random;

  /** The circle of candidates: blocks of records, side by side. */
  #rangeFirst = new Uint32Array(2 * EXACT_BUCKETS_MAX);
  #rangeEnd = new Uint32Array(2 * EXACT_BUCKETS_MAX);
  #ranges = 0;
  readonly #gaps = new Uint32Array(RUNS_MAX + 1);
  /** Runs drawn from many buckets: bucket, first index, length. */
  readonly #runBucket = new Uint32Array(RUNS_MAX);
  readonly #runStart = new Uint32Array(RUNS_MAX);
  readonly #runLength = new Uint32Array(RUNS_MAX);

  constructor(memory: PeerMemory, random: Random) {
    this.#memory = memory;
    this.#random = random;
  }

  /**
   * Fills `picks` from index `from` with the record words of up to `countMax` peers of the swarm's family, and
   * returns how many. `isAskerLocated`: the asker is the record that the family's `locate` has just found.
   */
  sample(
    peers: FamilyPeers,
    slot: number,
    countMax: number,
    leechersOnly: boolean,
    isAskerLocated: boolean,
    picks: Uint32Array,
    from: number,
  ): number {
    const { family, recordWords } = peers.layout;
    const word = this.#memory.peers(slot, family);
    if (word === 0 || countMax === 0) return 0;
    if (word < BIG) {
      const total = peers.peersOf(slot);
      const skipped = leechersOnly ? peers.seedersOf(slot) : 0;
      let asker = isAskerLocated ? peers.locatedIndex - skipped : -1;
      if (asker < 0) asker = -1;
      this.#ranges = 1;
      this.#rangeFirst[0] = word + BLOCK_HEADER_WORDS + skipped * recordWords;
      this.#rangeEnd[0] = total - skipped;
      return this.#sampleCircle(recordWords, countMax, asker, picks, from);
    }

    const big = this.#memory.big(slot, family);
    const askerSet = isAskerLocated ? (peers.locatedIsSeeder ? SEEDERS : LEECHERS) : -1;
    const leechers = this.#memory.setPeerCount(big, LEECHERS) - Number(askerSet === LEECHERS);
    const seeders = leechersOnly ? 0 : this.#memory.setPeerCount(big, SEEDERS) - Number(askerSet === SEEDERS);
    const fromSeeders = this.#drawSeeders(countMax, seeders, leechers);
    const fromLeechers = Math.min(leechers, countMax - fromSeeders);
    let picked = 0;
    if (fromLeechers > 0) {
      picked += this.#sampleSet(peers, big, LEECHERS, fromLeechers, askerSet === LEECHERS, picks, from);
    }
    if (fromSeeders > 0) {
      picked += this.#sampleSet(peers, big, SEEDERS, fromSeeders, askerSet === SEEDERS, picks, from + picked);
    }
    return picked;
  }

  /** How many of `count` picks without replacement are seeders. */
  #drawSeeders(count: number, seeders: number, leechers: number): number {
    if (seeders === 0) return 0;
    if (count >= seeders + leechers) return seeders;
    let seedersLeft = seeders;
    let left = seeders + leechers;
    for (let pick = 0; pick < count; pick++, left--) {
      if (randomBelow(this.#random, left) < seedersLeft) seedersLeft -= 1;
    }
    return seeders - seedersLeft;
  }

  #sampleSet(
    peers: FamilyPeers,
    big: number,
    set: RecordSet,
    count: number,
    hasAsker: boolean,
    picks: Uint32Array,
    from: number,
  ): number {
    const memory = this.#memory;
    const { recordWords } = peers.layout;
    const buckets = memory.buckets(big, set);
    const candidates = memory.setPeerCount(big, set) - Number(hasAsker);
    if (buckets > EXACT_BUCKETS_MAX && count * 4 < candidates) {
      const asker = hasAsker ? peers.locatedAt : 0;
      return this.#sampleBuckets(peers, big, set, count, asker, picks, from);
    }
    this.#reserveRanges(buckets);
    this.#ranges = buckets;
    let asker = -1;
    let end = 0;
    for (let bucket = 0; bucket < buckets; bucket++) {
      const ref = memory.bucket(big, set, bucket);
      if (hasAsker && bucket === peers.locatedBucket) asker = end + peers.locatedIndex;
      end += peers.sets.peersIn(ref);
      this.#rangeFirst[bucket] = ref + BLOCK_HEADER_WORDS;
      this.#rangeEnd[bucket] = end;
    }
    return this.#sampleCircle(recordWords, count, asker, picks, from);
  }

  /** The exact way. `asker` is its place on the circle, or -1. */
  #sampleCircle(
    recordWords: number,
    countMax: number,
    asker: number,
    picks: Uint32Array,
    from: number,
  ): number {
    const all = this.#rangeEnd[this.#ranges - 1];
    const candidates = asker < 0 ? all : all - 1;
    const count = Math.min(countMax, candidates);
    if (count <= 0) return 0;
    const runs = Math.min(count, RUNS_MAX, Math.max(RUNS_MIN, Math.ceil(count / RUN_PEERS)));
    this.#drawGaps(runs, candidates - count);
    const shortest = Math.floor(count / runs);
    const longer = count - shortest * runs;

    let place = randomBelow(this.#random, candidates);
    let to = from;
    for (let run = 0; run < runs; run++) {
      const length = run < longer ? shortest + 1 : shortest;
      this.#takeRun(place, length, asker, recordWords, picks, to);
      to += length;
      place = (place + length + this.#gaps[run + 1] - this.#gaps[run]) % candidates;
    }
    return count;
  }

  /** Fills `picks` from index `to` with `length` candidates from `place` on, past the circle's end from its beginning. */
  #takeRun(
    place: number,
    length: number,
    asker: number,
    recordWords: number,
    picks: Uint32Array,
    to: number,
  ): void {
    const rangeEnds = this.#rangeEnd;
    const all = rangeEnds[this.#ranges - 1];
    const end = to + length;
    // Records are counted with the asker, places without.
    let index = asker >= 0 && place >= asker ? place + 1 : place;
    while (to < end) {
      if (index === asker) index += 1;
      if (index === all) {
        index = 0;
        continue;
      }
      let range = 0;
      while (rangeEnds[range] <= index) range += 1;
      const rangeStart = range === 0 ? 0 : rangeEnds[range - 1];
      let at = this.#rangeFirst[range] + (index - rangeStart) * recordWords;
      let stop = Math.min(rangeEnds[range], index + end - to);
      if (asker > index && asker < stop) stop = asker;
      for (; index < stop; index++, at += recordWords) picks[to++] = at;
    }
  }

  /** Divides `total` at random into a gap after each run: gap i is gaps[i + 1] - gaps[i]. */
  #drawGaps(runs: number, total: number): void {
    const gaps = this.#gaps;
    gaps[0] = 0;
    for (let run = 1; run < runs; run++) {
      const cut = randomBelow(this.#random, total + 1);
      let at = run;
      while (at > 1 && gaps[at - 1] > cut) {
        gaps[at] = gaps[at - 1];
        at -= 1;
      }
      gaps[at] = cut;
    }
    gaps[runs] = total;
  }

  /** The way for many buckets. `asker` is its record's word, or 0. */
  #sampleBuckets(
    peers: FamilyPeers,
    big: number,
    set: RecordSet,
    count: number,
    asker: number,
    picks: Uint32Array,
    from: number,
  ): number {
    const memory = this.#memory;
    const { recordWords } = peers.layout;
    const buckets = memory.buckets(big, set);
    const runPeers = Math.max(RUN_PEERS, Math.ceil(count / (RUNS_MAX / 2)));
    let runs = 0;
    let picked = 0;
    for (let draw = 0; draw < DRAWS_MAX_PER_RUN * RUNS_MAX && picked < count && runs < RUNS_MAX; draw++) {
      const bucket = randomBelow(this.#random, buckets);
      const ref = memory.bucket(big, set, bucket);
      const size = peers.sets.peersIn(ref);
      // A bucket smaller than a run is taken whole, and counts as one run wide.
      if (size === 0 || randomBelow(this.#random, BUCKET_PEERS_MAX) >= Math.max(size, runPeers)) continue;
      const start = randomBelow(this.#random, size);
      const length = Math.min(runPeers, size);
      if (this.#overlaps(runs, bucket, start, length, size)) continue;
      this.#runBucket[runs] = bucket;
      this.#runStart[runs] = start;
      this.#runLength[runs] = length;
      runs += 1;
      const first = ref + BLOCK_HEADER_WORDS;
      for (let step = 0; step < length && picked < count; step++) {
        const index = start + step < size ? start + step : start + step - size;
        const at = first + index * recordWords;
        if (at === asker) continue;
        picks[from + picked] = at;
        picked += 1;
      }
    }
    return picked;
  }

  #overlaps(runs: number, bucket: number, start: number, length: number, size: number): boolean {
    for (let run = 0; run < runs; run++) {
      if (this.#runBucket[run] !== bucket) continue;
      const ahead = (start - this.#runStart[run] + size) % size;
      if (ahead < this.#runLength[run] || (size - ahead) % size < length) return true;
    }
    return false;
  }

  #reserveRanges(ranges: number): void {
    if (ranges <= this.#rangeFirst.length) return;
    this.#rangeFirst = new Uint32Array(ranges * 2);
    this.#rangeEnd = new Uint32Array(ranges * 2);
  }
}
