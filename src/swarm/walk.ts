/**
 * A walk over every swarm while announces go on between its steps: a fuzzy checkpoint (rules D-N1, D-N2).
 *
 * It goes from slot to slot, and slots never move. A small swarm is handed out whole in one step; a big one
 * bucket by bucket, leechers before seeders, upwards. So the moves that announces cause are nearly all harmless:
 * a split moves records to a later bucket, a peer that completes moves to the later set, a block that memory
 * moves keeps its place in its swarm. What could be missed is a record that goes from a bucket still to come to
 * one already handed out: such a one is set aside first and handed out by itself. A record may thus be handed
 * out twice; none that was there at the start and still is goes missing.
 *
 * Completed downloads are handed out as of the walk's start: those counted since are remembered and subtracted.
 */
import { BLOCK_HEADER_WORDS } from './block-arena.ts';
import type { FamilyPeers } from './family-peers.ts';
import {
  COMPLETED_WORD,
  LAST_ACTIVITY_WORD,
  LEECHERS,
  type MoveListener,
  type PeerMemory,
  type RecordSet,
  SEEDERS,
} from './peer-memory.ts';
import { type Family, IPV4, IPV6 } from './record.ts';

/** What a walk hands out. The views are valid only during the call. */
export interface WalkSink {
  /** Once a swarm, before its runs: completed downloads as of the walk's start, last activity in epoch seconds. */
  swarm(infoHash: Uint8Array, completed: number, lastActivitySeconds: number): void;
  /** Packed records of one swarm and family from byte `at`: seeders, then leechers (record.ts). */
  run(
    infoHash: Uint8Array,
    family: Family,
    seeders: number,
    leechers: number,
    records: Uint8Array,
    at: number,
  ): void;
}

/** One step hands out about so many records, or passes so many slots. */
const RECORDS_PER_STEP = 128;
const SLOTS_PER_STEP = 512;
/** Records set aside beyond this are lost to the walk: no honest swarm comes near it within one. */
const ASIDE_RECORDS_MAX = 65_536;

interface Aside {
  readonly infoHash: Uint8Array;
  readonly family: Family;
  readonly isSeeder: boolean;
  readonly records: Uint8Array;
  readonly count: number;
}

export class Walk implements MoveListener {
  /** Records handed out so far. */
  peers = 0;
  /** Records set aside, and those lost because too many were. */
  setAside = 0;
  lost = 0;

  readonly #memory: PeerMemory;
  readonly #families: readonly [FamilyPeers, FamilyPeers];
  readonly #onEnd: () => void;
  readonly #slotEnd: number;
  readonly #infoHash = new Uint8Array(20);
  readonly #completions = new Map<number, number>();
  readonly #aside: Aside[] = [];
  #asideCount = 0;

  /** The next slot to visit; inside a big swarm, the next bucket. */
  #slot = 0;
  #isInside = false;
  #family: Family = IPV4;
  #set: RecordSet = LEECHERS;
  #bucket = 0;

  constructor(memory: PeerMemory, families: readonly [FamilyPeers, FamilyPeers], onEnd: () => void) {
    this.#memory = memory;
    this.#families = families;
    this.#onEnd = onEnd;
    this.#slotEnd = memory.slots.highWater;
  }

  /** Hands out a little; false when everything has been handed out. */
  step(sink: WalkSink): boolean {
    const peersEnd = this.peers + RECORDS_PER_STEP;
    this.#handOutAside(sink, peersEnd);
    const slotEnd = Math.min(this.#slotEnd, this.#slot + SLOTS_PER_STEP);
    while (this.peers < peersEnd && (this.#slot < slotEnd || this.#isInside)) {
      if (!this.#isInside) this.#enter(sink);
      else this.#handOutBucket(sink);
    }
    return this.#slot < this.#slotEnd || this.#isInside || this.#aside.length > 0;
  }

  /** Ends the walk, finished or not; another may begin. */
  end(): void {
    this.#onEnd();
  }

  /** A completed download was counted. */
  noteCompletion(slot: number): void {
    if (this.#isPassed(slot)) return;
    this.#completions.set(slot, (this.#completions.get(slot) ?? 0) + 1);
  }

  /** The slot's swarm is gone. */
  noteRemoval(slot: number): void {
    this.#completions.delete(slot);
    if (this.#isInside && slot === this.#slot) this.#leave();
  }

  beforeMove(
    slot: number,
    family: Family,
    fromSet: RecordSet,
    fromBucket: number,
    toSet: RecordSet,
    toBucket: number,
    at: number,
    count: number,
  ): void {
    if (!this.#isInsideFamily(slot, family)) return;
    if (this.#isBehind(fromSet, fromBucket) || !this.#isBehind(toSet, toBucket)) return;
    this.#putAside(slot, family, fromSet, at, count);
  }

  beforeCollapse(
    slot: number,
    family: Family,
    set: RecordSet,
    bucket: number,
    at: number,
    count: number,
  ): void {
    if (!this.#isInsideFamily(slot, family) || this.#isBehind(set, bucket)) return;
    this.#putAside(slot, family, set, at, count);
  }

  afterCollapse(slot: number, family: Family): void {
    if (this.#isInsideFamily(slot, family)) this.#leaveFamily();
  }

  #isPassed(slot: number): boolean {
    return slot < this.#slot || (slot === this.#slot && this.#isInside);
  }

  #isInsideFamily(slot: number, family: Family): boolean {
    return this.#isInside && slot === this.#slot && family === this.#family;
  }

  #isBehind(set: RecordSet, bucket: number): boolean {
    return set < this.#set || (set === this.#set && bucket < this.#bucket);
  }

  #enter(sink: WalkSink): void {
    const { slots } = this.#memory;
    const slot = this.#slot;
    if (!slots.isUsed(slot)) {
      this.#slot += 1;
      return;
    }
    const base = slots.base(slot);
    slots.copyHash(slot, this.#infoHash, 0);
    let completed = slots.words[base + COMPLETED_WORD];
    if (this.#completions.size > 0) {
      completed -= this.#completions.get(slot) ?? 0;
      this.#completions.delete(slot);
    }
    sink.swarm(this.#infoHash, Math.max(0, completed), slots.words[base + LAST_ACTIVITY_WORD]);
    this.#isInside = true;
    this.#enterFamily(IPV4);
    this.#handOutSmall(sink);
  }

  /** Hands out what is small of the swarm from this family on; stops before a big block. */
  #handOutSmall(sink: WalkSink): void {
    const memory = this.#memory;
    while (this.#isInside && memory.big(this.#slot, this.#family) === 0) {
      const ref = memory.peers(this.#slot, this.#family);
      if (ref !== 0) {
        const counts = memory.words[ref + 1];
        const seeders = (counts >>> 8) & 0xff;
        this.#handOut(sink, seeders, (counts & 0xff) - seeders, ref);
      }
      this.#leaveFamily();
    }
  }

  #handOutBucket(sink: WalkSink): void {
    const memory = this.#memory;
    const big = memory.big(this.#slot, this.#family);
    if (big === 0) {
      memory.slots.copyHash(this.#slot, this.#infoHash, 0);
      this.#handOutSmall(sink);
      return;
    }
    if (this.#bucket >= memory.buckets(big, this.#set)) {
      this.#bucket = 0;
      if (this.#set === SEEDERS) this.#leaveFamily();
      else this.#set = SEEDERS;
      return;
    }
    const ref = memory.bucket(big, this.#set, this.#bucket);
    this.#bucket += 1;
    if (ref === 0) return;
    const count = memory.words[ref + 1] & 0xff;
    memory.slots.copyHash(this.#slot, this.#infoHash, 0);
    this.#handOut(sink, this.#set === SEEDERS ? count : 0, this.#set === SEEDERS ? 0 : count, ref);
  }

  #handOut(sink: WalkSink, seeders: number, leechers: number, ref: number): void {
    if (seeders + leechers === 0) return;
    const at = (ref + BLOCK_HEADER_WORDS) * 4;
    sink.run(this.#infoHash, this.#family, seeders, leechers, this.#memory.arena.bytes, at);
    this.peers += seeders + leechers;
  }

  #enterFamily(family: Family): void {
    this.#family = family;
    this.#set = LEECHERS;
    this.#bucket = 0;
  }

  #leaveFamily(): void {
    if (this.#family === IPV4) this.#enterFamily(IPV6);
    else this.#leave();
  }

  #leave(): void {
    this.#isInside = false;
    this.#slot += 1;
  }

  #putAside(slot: number, family: Family, set: RecordSet, at: number, count: number): void {
    if (this.#asideCount + count > ASIDE_RECORDS_MAX) {
      this.lost += count;
      return;
    }
    const infoHash = new Uint8Array(20);
    this.#memory.slots.copyHash(slot, infoHash, 0);
    const bytes = count * this.#families[family].layout.recordWords * 4;
    const records = this.#memory.arena.bytes.slice(at * 4, at * 4 + bytes);
    this.#aside.push({ infoHash, family, isSeeder: set === SEEDERS, records, count });
    this.#asideCount += count;
    this.setAside += count;
  }

  #handOutAside(sink: WalkSink, peersEnd: number): void {
    while (this.peers < peersEnd) {
      const aside = this.#aside.pop();
      if (aside === undefined) return;
      const { infoHash, family, isSeeder, records, count } = aside;
      sink.run(infoHash, family, isSeeder ? count : 0, isSeeder ? 0 : count, records, 0);
      this.peers += count;
      this.#asideCount -= count;
    }
  }
}
