/**
 * Removes the peers that have not announced for the time to live, then the swarms without peers, a little at a
 * time between announces. A record that a split moves behind the purge meanwhile is met by the next one.
 */
import { BLOCK_HEADER_WORDS } from './block-arena.ts';
import type { FamilyPeers } from './family-peers.ts';
import { LEECHERS, type PeerMemory, type RecordSet, SEEDERS } from './peer-memory.ts';
import { AGE_SECONDS_MAX, type Family, IPV4, IPV6 } from './record.ts';

/** One step looks at about so many records and slots. */
const WORK_PER_STEP = 256;

/** What the table does about a swarm that the purge has looked through. */
export interface PurgeFollower {
  afterPeersRemoved(slot: number, removed: number): void;
  /** The swarm has no peers, and is not one that is only remembered. */
  emptySwarm(slot: number): void;
  /** All slots have been looked through. */
  end(): void;
}

export class Purge {
  /** Peers removed so far. */
  removed = 0;

  readonly #memory: PeerMemory;
  readonly #families: readonly [FamilyPeers, FamilyPeers];
  readonly #follower: PurgeFollower;
  readonly #now: number;
  readonly #ttlSeconds: number;

  #slot = 0;
  #family: Family = IPV4;
  #set: RecordSet = LEECHERS;
  /** Buckets of the set still to be looked through: from the last to the first, as joins move records down. */
  #bucketsLeft = Number.POSITIVE_INFINITY;

  constructor(
    memory: PeerMemory,
    families: readonly [FamilyPeers, FamilyPeers],
    follower: PurgeFollower,
    now: number,
    ttlSeconds: number,
  ) {
    this.#memory = memory;
    this.#families = families;
    this.#follower = follower;
    this.#now = now;
    this.#ttlSeconds = ttlSeconds;
  }

  /** Looks at a little more; false when all has been looked at. */
  step(): boolean {
    const { slots } = this.#memory;
    let work = 0;
    while (work < WORK_PER_STEP) {
      if (this.#slot >= slots.highWater) {
        this.#follower.end();
        return false;
      }
      work += 1;
      if (slots.isUsed(this.#slot)) work += this.#visit();
      else this.#nextSlot();
    }
    return true;
  }

  /** Looks through the swarm's next block; the number of records looked at. */
  #visit(): number {
    const memory = this.#memory;
    const slot = this.#slot;
    const peers = this.#families[this.#family];
    if (memory.peers(slot, this.#family) === 0) {
      this.#nextFamily();
      return 0;
    }
    if (memory.big(slot, this.#family) === 0) {
      const looked = this.#purgeSmall(peers);
      this.#nextFamily();
      return looked;
    }
    return this.#purgeBucket(peers);
  }

  #purgeSmall(peers: FamilyPeers): number {
    const memory = this.#memory;
    const slot = this.#slot;
    const ref = memory.peers(slot, this.#family);
    const count = memory.words[ref + 1] & 0xff;
    let removed = 0;
    for (let index = count - 1; index >= 0; index--) {
      const at = ref + BLOCK_HEADER_WORDS + index * peers.layout.recordWords;
      if (!this.#isExpired(peers, at)) continue;
      peers.removeFromSmall(slot, index);
      removed += 1;
    }
    if (removed > 0) {
      peers.settleSmall(slot);
      this.#noteRemoved(removed);
    }
    return count;
  }

  #purgeBucket(peers: FamilyPeers): number {
    const memory = this.#memory;
    const slot = this.#slot;
    const big = memory.big(slot, this.#family);
    const set = this.#set;
    this.#bucketsLeft = Math.min(this.#bucketsLeft, memory.buckets(big, set));
    if (this.#bucketsLeft === 0) {
      this.#bucketsLeft = Number.POSITIVE_INFINITY;
      if (set === LEECHERS) this.#set = SEEDERS;
      else this.#nextFamily();
      return 0;
    }
    this.#bucketsLeft -= 1;
    const bucket = this.#bucketsLeft;
    const ref = memory.bucket(big, set, bucket);
    const count = peers.sets.peersIn(ref);
    let removed = 0;
    for (let index = count - 1; index >= 0; index--) {
      const at = ref + BLOCK_HEADER_WORDS + index * peers.layout.recordWords;
      if (!this.#isExpired(peers, at)) continue;
      peers.removeFromBucket(slot, set, bucket, index);
      removed += 1;
    }
    if (removed > 0) {
      peers.settleBig(slot, set, bucket);
      this.#noteRemoved(removed);
    }
    return count;
  }

  #isExpired(peers: FamilyPeers, at: number): boolean {
    // A peer heard after the purge began has an age that wraps below zero, to the far end.
    const age = peers.layout.ageSeconds(this.#memory.words, at, this.#now);
    return age > this.#ttlSeconds && age < HEARD_SINCE_AGE;
  }

  #noteRemoved(removed: number): void {
    this.removed += removed;
    this.#follower.afterPeersRemoved(this.#slot, removed);
  }

  #nextFamily(): void {
    this.#set = LEECHERS;
    this.#bucketsLeft = Number.POSITIVE_INFINITY;
    if (this.#family === IPV4) {
      this.#family = IPV6;
      return;
    }
    if (!this.#memory.hasPeers(this.#slot)) this.#follower.emptySwarm(this.#slot);
    this.#nextSlot();
  }

  #nextSlot(): void {
    this.#family = IPV4;
    this.#set = LEECHERS;
    this.#bucketsLeft = Number.POSITIVE_INFINITY;
    this.#slot += 1;
  }
}

/** Ages from here on belong to peers heard up to 1,024 seconds after the purge began. */
const HEARD_SINCE_AGE = AGE_SECONDS_MAX - 1024;
