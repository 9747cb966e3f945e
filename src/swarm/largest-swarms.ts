/**
 * Finds the swarms with the most peers, a little at a time between announces. Counts are those of the moment at which
 * a swarm is looked at.
 */
import type { FamilyPeers } from './family-peers.ts';
import { BIG, type PeerMemory, SMALL_PEERS_MAX } from './peer-memory.ts';
import { IPV4, IPV6 } from './record.ts';

export interface CountedSwarm {
  readonly infoHash: Uint8Array;
  readonly peers: number;
  readonly seeders: number;
}

/** One step looks at so many slots: some ten microseconds. */
const SLOTS_PER_STEP = 1_024;

export class LargestSwarms {
  readonly #memory: PeerMemory;
  readonly #families: readonly [FamilyPeers, FamilyPeers];
  readonly #most: number;
  #slot = 0;
  #found: CountedSwarm[] = [];

  /** `most`: how many to find. */
  constructor(memory: PeerMemory, families: readonly [FamilyPeers, FamilyPeers], most: number) {
    this.#memory = memory;
    this.#families = families;
    this.#most = most;
  }

  /** The largest first. */
  get found(): readonly CountedSwarm[] {
    return this.#found;
  }

  /** Looks at a little more; false when all has been looked at. */
  step(): boolean {
    const { slots } = this.#memory;
    const end = Math.min(slots.highWater, this.#slot + SLOTS_PER_STEP);
    for (; this.#slot < end; this.#slot += 1) if (slots.isUsed(this.#slot)) this.#look(this.#slot);
    return this.#slot < slots.highWater;
  }

  #look(slot: number): void {
    const least = this.#found.length < this.#most ? 0 : this.#found[this.#most - 1]!.peers;
    // The count of a small swarm lies with its peers, far from the slot: in a big table that is most of the cost.
    if (least >= 2 * SMALL_PEERS_MAX && this.#isSmall(slot)) return;
    const [ipv4, ipv6] = this.#families;
    const peers = ipv4.peersOf(slot) + ipv6.peersOf(slot);
    if (peers <= least) return;
    const infoHash = new Uint8Array(20);
    this.#memory.slots.copyHash(slot, infoHash, 0);
    const seeders = ipv4.seedersOf(slot) + ipv6.seedersOf(slot);
    this.#found = [...this.#found, { infoHash, peers, seeders }]
      .sort((one, other) => other.peers - one.peers)
      .slice(0, this.#most);
  }

  #isSmall(slot: number): boolean {
    return this.#memory.peers(slot, IPV4) < BIG && this.#memory.peers(slot, IPV6) < BIG;
  }
}
