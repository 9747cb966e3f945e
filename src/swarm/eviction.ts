/**
 * Who gives way when the table is nearly full: within a large swarm the longest unseen of a few random peers, and for a
 * new swarm the longest unseen of a few random ones with a single peer. A few are enough: whoever announces in time is
 * hardly ever the oldest of five. Leaves to the table when somebody has to go, and its counts.
 */
import type { FamilyPeers } from './family-peers.ts';
import { LAST_ACTIVITY_WORD, type PeerMemory } from './peer-memory.ts';
import type { RetainedSwarms } from './retained-swarms.ts';
import { type Random, randomBelow, type Sampler } from './sampling.ts';

const CANDIDATES = 5;
const PROBES = 64;

export interface EvictionOptions {
  readonly memory: PeerMemory;
  readonly families: readonly [FamilyPeers, FamilyPeers];
  readonly sampler: Sampler;
  readonly retained: RetainedSwarms;
  readonly random: Random;
}

export class Eviction {
  readonly #options: EvictionOptions;
  readonly #candidates = new Uint32Array(CANDIDATES);

  constructor(options: EvictionOptions) {
    this.#options = options;
  }

  /** Removes a peer of the swarm, but not the current one, which has just come; false when there is no other. */
  removePeer(slot: number, newcomer: FamilyPeers, isSeeder: boolean, now: number): boolean {
    const { families, memory, sampler, random } = this.#options;
    const candidates = this.#candidates;
    const [ipv4, ipv6] = families;
    newcomer.locate(slot, isSeeder);
    const others = families.map((peers) => peers.peersOf(slot) - Number(peers === newcomer));
    const peers = randomBelow(random, others[0] + others[1]) < others[0] ? ipv4 : ipv6;
    const count = sampler.sample(peers, slot, CANDIDATES, false, peers === newcomer, candidates, 0);
    if (count === 0) return false;
    const ageAt = (at: number): number => peers.layout.ageSeconds(memory.words, at, now);
    let oldest = 0;
    for (let index = 1; index < count; index++) {
      if (ageAt(candidates[index]) > ageAt(candidates[oldest])) oldest = index;
    }
    peers.removeRecordAt(slot, candidates[oldest]);
    return true;
  }

  /**
   * The swarm that should go. `settle` is given each swarm met that the purge has yet to look at, and says whether
   * that made room; then, and when no swarm is found, the answer is -1.
   */
  chooseSwarm(now: number, settle: (slot: number) => boolean): number {
    const { families, memory, retained, random } = this.#options;
    const { slots } = memory;
    const [ipv4, ipv6] = families;
    let oldest = -1;
    let oldestAge = -1;
    let found = 0;
    for (let probe = 0; probe < PROBES && found < CANDIDATES; probe++) {
      const slot = randomBelow(random, slots.highWater);
      if (!slots.isUsed(slot)) continue;
      const peers = ipv4.peersOf(slot) + ipv6.peersOf(slot);
      if (peers > 1 || retained.has(slot)) continue;
      if (peers === 0) {
        if (settle(slot)) return -1;
        continue;
      }
      found += 1;
      const age = now - slots.words[slots.base(slot) + LAST_ACTIVITY_WORD];
      if (age > oldestAge) {
        oldest = slot;
        oldestAge = age;
      }
    }
    return oldest;
  }
}
