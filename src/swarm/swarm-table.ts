/**
 * All swarms in memory, without an object for any of them: who is in which swarm, how many seed, who has
 * completed, and a fair sample of peers for a reply. The picture of the memory is in peer-memory.ts, the record
 * in record.ts.
 *
 * It promises: memory is reserved once and touched as it fills; no announce moves more than one bucket; totals
 * are kept, never counted; a full table gives room to the unseen, never throws. It leaves to others: time (given
 * as epoch seconds), randomness (given), what an announce means (tracker/), and when to purge and save.
 */
import { PAGE_WORDS } from './block-arena.ts';
import { Eviction } from './eviction.ts';
import { FamilyPeers } from './family-peers.ts';
import type { HashKey } from './half-sip-hash.ts';
import { HashSlots } from './hash-slots.ts';
import { LargestSwarms } from './largest-swarms.ts';
import {
  COMPLETED_WORD,
  LAST_ACTIVITY_WORD,
  PeerMemory,
  SLOT_WORDS,
  SLOTS_MAX,
  SMALL_PEERS_MAX,
} from './peer-memory.ts';
import { Purge, type PurgeFollower } from './purge.ts';
import {
  COMPLETED_ONCE,
  type Family,
  IPV4,
  IPV6,
  IS_PARTIAL_SEED,
  PARTIAL_SEED,
  type Role,
  SEEDER,
} from './record.ts';
import { RetainedSwarms } from './retained-swarms.ts';
import { type Random, Sampler } from './sampling.ts';
import { Walk } from './walk.ts';

/** What became of a sighting. */
export const Outcome = {
  refreshed: 0,
  added: 1,
  /** Added, and another peer gave way for it. */
  replaced: 2,
  /** Not stored: the table is full and nothing could give way. */
  refused: 3,
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** Bytes of memory the table is allowed per peer of `peersMax`, everything included. */
const BYTES_PER_PEER_MAX = 64;
/** Longer times to live could not be told from the record's 14 bits. */
const TTL_SECONDS_MAX = 7200;

/** After a longer silence than this some ages could be told no more. */
const GAP_SECONDS_MAX = 7000;
const NEARLY_FULL = 0.95;
/** When nearly full, a swarm of more peers than this makes room within itself. */
const LARGE_SWARM_PEERS = 200;
/** Every size class may have a page that is only begun: these come on top of what the records need. */
const SPARE_PAGES = 128;
const RETAINED_SHARE = 0.1;
const RETAIN_SECONDS = 30 * 86_400;

export interface SwarmTableOptions {
  /** Peers at the most, at least 1,000. */
  readonly peersMax: number;
  readonly swarmsMax: number;
  /** Secret of the hash tables, drawn at start. */
  readonly hashKey: HashKey;
  readonly random: Random;
}

export interface Totals {
  readonly peers: number;
  readonly peersIpv4: number;
  readonly peersIpv6: number;
  readonly seeders: number;
  readonly leechers: number;
  /** Swarms with peers. */
  readonly swarms: number;
  /** Swarms without peers whose completed downloads are remembered. */
  readonly retained: number;
  /** Completed downloads counted since start. */
  readonly completed: number;
  /** Peers that gave way to others, and peers that were not stored, since start. */
  readonly evicted: number;
  readonly refused: number;
}

export class SwarmTable {
  readonly peersMax: number;
  readonly swarmsMax: number;
  /** Grows with every change that a snapshot would show. */
  changes = 0;

  /** @internal for tests of the table's own order */
  readonly memory: PeerMemory;
  /** @internal */
  readonly families: readonly [FamilyPeers, FamilyPeers];

  readonly #sampler: Sampler;
  readonly #retained: RetainedSwarms;
  readonly #eviction: Eviction;
  readonly #purgeFollower: PurgeFollower;
  #walk: Walk | undefined;
  #now = 0;
  #swarms = 0;
  #completed = 0;
  #evicted = 0;
  #refused = 0;

  /** Throws a RangeError that says what was asked for when the memory cannot be reserved. */
  constructor(options: SwarmTableOptions) {
    this.peersMax = options.peersMax;
    this.swarmsMax = Math.min(options.swarmsMax, SLOTS_MAX);
    const slotBytes = this.swarmsMax * (SLOT_WORDS + 1) * 4;
    const recordBytes = Math.max(this.peersMax * BYTES_PER_PEER_MAX - slotBytes, this.peersMax * 36);
    try {
      const slots = new HashSlots({
        slotsMax: this.swarmsMax,
        wordsPerSlot: SLOT_WORDS,
        hashKey: options.hashKey,
      });
      this.memory = new PeerMemory(slots, recordBytes + SPARE_PAGES * PAGE_WORDS * 4);
    } catch (error) {
      const megabytes = Math.ceil((slotBytes + recordBytes) / 2 ** 20);
      throw new RangeError(`cannot reserve ${megabytes} MiB for ${this.peersMax} peers`, { cause: error });
    }
    this.families = [
      new FamilyPeers(IPV4, this.memory, options.hashKey),
      new FamilyPeers(IPV6, this.memory, options.hashKey),
    ];
    this.#sampler = new Sampler(this.memory, options.random);
    this.#retained = new RetainedSwarms(this.memory);
    this.#eviction = new Eviction({
      memory: this.memory,
      families: this.families,
      sampler: this.#sampler,
      retained: this.#retained,
      random: options.random,
    });
    this.#purgeFollower = {
      afterPeersRemoved: (slot, removed) => this.#afterPeersRemoved(slot, removed),
      emptySwarm: (slot) => this.#retainOrRemove(slot),
      end: () => this.#expireRetained(),
    };
  }

  get totals(): Totals {
    const [ipv4, ipv6] = this.families;
    const peers = ipv4.peers + ipv6.peers;
    const seeders = ipv4.seeders + ipv6.seeders;
    return {
      peers,
      peersIpv4: ipv4.peers,
      peersIpv6: ipv6.peers,
      seeders,
      leechers: peers - seeders,
      swarms: this.#swarms,
      retained: this.#retained.count,
      completed: this.#completed,
      evicted: this.#evicted,
      refused: this.#refused,
    };
  }

  get peers(): number {
    return this.families[0].peers + this.families[1].peers;
  }

  /** Swarms of any kind: with peers, remembered, and those the purge has yet to look at. */
  get slotsInUse(): number {
    return this.memory.slots.count;
  }

  get isNearlyFull(): boolean {
    const { arena } = this.memory;
    return this.peers >= this.peersMax * NEARLY_FULL || arena.pagesInUse >= arena.pagesMax * NEARLY_FULL;
  }

  /** Bytes that slots, index and blocks occupy now. */
  get bytesInUse(): number {
    return this.memory.slots.bytesInUse + this.memory.arena.pagesInUse * PAGE_WORDS * 4;
  }

  /**
   * Sets the table's time; it never goes back. After a gap in which ages would have become ambiguous every peer
   * is past any time to live, and goes at once.
   */
  advance(now: number): void {
    if (now <= this.#now) return;
    if (this.#now !== 0 && now - this.#now > GAP_SECONDS_MAX) this.#clearPeers();
    this.#now = now;
  }

  /** The swarm's slot, or -1. A slot is valid until the caller next waits for something. */
  find(infoHash: Uint8Array): number {
    return this.memory.slots.find(infoHash);
  }

  /** The swarm's slot, made when there is none; -1 when there is no room for another swarm. */
  open(infoHash: Uint8Array, now: number): number {
    this.advance(now);
    const { slots } = this.memory;
    let slot = slots.insert(infoHash);
    if (slot < 0 && this.#evictSwarm()) slot = slots.insert(infoHash);
    if (slot < 0) this.#refused += 1;
    return slot;
  }

  /**
   * A peer was heard: adds it to the swarm or refreshes it. `endpoint` is 6 or 18 bytes by family. Another peer
   * id on a known endpoint takes its place. A completion is counted once for each record.
   */
  sight(
    slot: number,
    family: Family,
    endpoint: Uint8Array,
    peerId: Uint8Array,
    role: Role,
    isCompletion: boolean,
    now: number,
  ): Outcome {
    this.advance(now);
    const peers = this.families[family];
    peers.load(endpoint, 0, peerId, 0);
    let outcome: Outcome = Outcome.refreshed;
    if (peers.locate(slot, role === SEEDER)) {
      if (peers.refresh(role, isCompletion, this.#now)) this.#countCompletion(slot);
    } else {
      let flags = isCompletion ? COMPLETED_ONCE : 0;
      if (role === PARTIAL_SEED) flags |= IS_PARTIAL_SEED;
      outcome = this.#add(peers, slot, role === SEEDER, flags, this.#now);
      if (outcome === Outcome.refused) {
        this.#refused += 1;
        this.#closeIfUnused(slot);
        return Outcome.refused;
      }
      if (isCompletion) this.#countCompletion(slot);
    }
    this.#touch(slot, this.#now);
    return outcome;
  }

  /** The packed record of the peer that `sight` has just stored; valid until the next call. */
  recordSighted(family: Family): Uint8Array {
    return this.families[family].layout.currentBytes;
  }

  /**
   * A peer stopped. The swarm stays until the purge.
   *
   * @returns how many seconds ago the peer had been heard; -1 when it was not there
   */
  forget(slot: number, family: Family, endpoint: Uint8Array, now: number): number {
    this.advance(now);
    const peers = this.families[family];
    peers.layout.loadEndpoint(endpoint, 0);
    if (!peers.locate(slot, false)) return -1;
    const ageSeconds = peers.ageOfLocated(this.#now);
    this.#removeLocated(peers, slot);
    return ageSeconds;
  }

  seeders(slot: number): number {
    return this.families[0].seedersOf(slot) + this.families[1].seedersOf(slot);
  }

  /** Peers that are not seeders, partial seeds among them. */
  leechers(slot: number): number {
    return this.families[0].peersOf(slot) + this.families[1].peersOf(slot) - this.seeders(slot);
  }

  partialSeeds(slot: number): number {
    return this.families[0].partialSeedsOf(slot) + this.families[1].partialSeedsOf(slot);
  }

  /** Completed downloads, ever. */
  completed(slot: number): number {
    return this.memory.slots.words[this.memory.slots.base(slot) + COMPLETED_WORD];
  }

  /**
   * Picks up to `countMax` peers of the family, each equally likely, none twice, without `asker` (an endpoint of
   * that family). Fills `picks` from index `from`, returns how many. Picks are valid until the next change.
   */
  sample(
    slot: number,
    family: Family,
    countMax: number,
    leechersOnly: boolean,
    asker: Uint8Array | undefined,
    picks: Uint32Array,
    from: number,
  ): number {
    const peers = this.families[family];
    let isAskerLocated = false;
    if (asker !== undefined) {
      peers.layout.loadEndpoint(asker, 0);
      isAskerLocated = peers.locate(slot, leechersOnly);
    }
    return this.#sampler.sample(peers, slot, countMax, leechersOnly, isAskerLocated, picks, from);
  }

  /**
   * Writes the addresses and ports of the picks from index `from` to before `end`, side by side in network order, to
   * the beginning of `out`: three or nine halfwords each, by family.
   */
  copyEndpoints(picks: Uint32Array, from: number, end: number, family: Family, out: Uint16Array): void {
    const { words } = this.memory;
    const { portWord } = this.families[family].layout;
    let to = 0;
    for (let index = from; index < end; index++) {
      const first = picks[index];
      const port = first + portWord;
      for (let at = first; at < port; at++, to += 2) {
        const word = words[at];
        out[to] = word;
        out[to + 1] = word >>> 16;
      }
      out[to++] = words[port];
    }
  }

  /** Writes a picked peer's id, 20 bytes, to `out` at `at`. */
  copyPeerId(pick: number, family: Family, out: Uint8Array, at: number): void {
    const from = (pick + this.families[family].layout.portWord + 1) * 4;
    out.set(this.memory.arena.bytes.subarray(from, from + 20), at);
  }

  /** Removes the swarm, its peers and its count. False when there is none. */
  drop(infoHash: Uint8Array): boolean {
    const slot = this.find(infoHash);
    if (slot < 0) return false;
    this.#clearSwarm(slot);
    this.#removeSlot(slot);
    return true;
  }

  /** Begins to remove peers not heard for `ttlSeconds` and swarms without peers. */
  purge(now: number, ttlSeconds: number): Purge {
    if (ttlSeconds > TTL_SECONDS_MAX) throw new RangeError(`a time to live of ${ttlSeconds} s is too long`);
    this.advance(now);
    return new Purge(this.memory, this.families, this.#purgeFollower, this.#now, ttlSeconds);
  }

  /** Begins to look for the swarms with the most peers; for so many. */
  largest(most: number): LargestSwarms {
    return new LargestSwarms(this.memory, this.families, most);
  }

  /** Begins a walk over all swarms; the caller ends it. One at a time: throws while another has not ended. */
  walk(now: number): Walk {
    if (this.#walk !== undefined) throw new Error('a walk is under way');
    this.advance(now);
    this.#walk = new Walk(this.memory, this.families, () => {
      this.#walk = undefined;
      this.memory.moves = undefined;
    });
    this.memory.moves = this.#walk;
    return this.#walk;
  }

  /**
   * Adds a saved count of completed downloads to what was heard since start, and a saved last activity. The next
   * purge decides what becomes of a swarm to which no peers are restored.
   */
  restoreTotals(slot: number, completed: number, lastActivitySeconds: number, now: number): void {
    this.advance(now);
    if (this.#retained.has(slot)) this.#retained.remove(slot);
    const { slots } = this.memory;
    slots.words[slots.base(slot) + COMPLETED_WORD] += completed;
    this.#touch(slot, Math.min(lastActivitySeconds, this.#now));
  }

  /** So many swarms are about to be restored: makes room for some of them in the index; false when there is for all. */
  expectSwarms(count: number): boolean {
    return this.memory.slots.expect(count);
  }

  /**
   * Adds saved peers, all at once, to a swarm that has none of the family: packed records of different endpoints, seeders
   * first, side by side from byte `at`, with their flags and the seconds in which they were last heard, none of them
   * past its time to live and `lastSeenSeconds` the latest. False, and nothing is changed, when the swarm has peers, or
   * there is no room for so many in one block or in the table: then `restorePeer` is the way.
   */
  restoreSwarm(
    slot: number,
    family: Family,
    seeders: number,
    leechers: number,
    records: Uint8Array,
    at: number,
    lastSeenSeconds: number,
    now: number,
  ): boolean {
    this.advance(now);
    const count = seeders + leechers;
    // After a clock was set back the table's time is later, and by it some may be past theirs.
    if (now < this.#now || count > SMALL_PEERS_MAX || this.memory.peers(slot, family) !== 0) return false;
    if (this.isNearlyFull || this.peers + count > this.peersMax * NEARLY_FULL) return false;
    const hadPeers = this.memory.hasPeers(slot);
    if (!hadPeers && this.#retained.has(slot)) this.#retained.remove(slot);
    if (!this.families[family].addAll(slot, seeders, leechers, records, at)) return false;
    if (!hadPeers) this.#swarms += 1;
    this.#touch(slot, lastSeenSeconds);
    this.changes += count - 1;
    return true;
  }

  /** Adds completed downloads that another tracker, or this one before its restart, has counted. */
  addCompletions(slot: number, completed: number, now: number): void {
    this.advance(now);
    if (!this.memory.hasPeers(slot) && this.#retained.has(slot)) this.#retained.remove(slot);
    const { slots } = this.memory;
    slots.words[slots.base(slot) + COMPLETED_WORD] += completed;
    this.#touch(slot, this.#now);
  }

  /** Of two counts of completed downloads that overlap the greater is right. */
  raiseTotals(slot: number, completed: number, now: number): void {
    const missing = completed - this.completed(slot);
    if (missing > 0) this.addCompletions(slot, missing, now);
  }

  /** Counts completed downloads, ever, of swarms of which the table may know nothing any more. */
  addCompletedEver(completed: number): void {
    this.#completed += completed;
  }

  raiseCompletedEver(completed: number): void {
    this.#completed = Math.max(this.#completed, completed);
  }

  /**
   * A stop that was heard elsewhere or before a restart: removes the peer unless it was heard later than
   * `stoppedSeconds`. One heard in that same second goes only if `isSameSecond`: the one who wrote the stop had
   * heard it in that second before.
   */
  forgetHeardBy(
    slot: number,
    family: Family,
    endpoint: Uint8Array,
    endpointAt: number,
    stoppedSeconds: number,
    isSameSecond: boolean,
    now: number,
  ): void {
    this.advance(now);
    const peers = this.families[family];
    peers.layout.loadEndpoint(endpoint, endpointAt);
    if (!peers.locate(slot, false)) return;
    const seenSeconds = this.#now - peers.ageOfLocated(this.#now);
    if (seenSeconds < stoppedSeconds || (seenSeconds === stoppedSeconds && isSameSecond)) {
      this.#removeLocated(peers, slot);
    }
  }

  /**
   * Adds a saved peer, unless it is there already and was heard later, or as late when `winsTies` does not say that
   * this is the newer entry of the two, or is past `ttlSeconds`. One that is there is at least remembered to have
   * completed, so that it is not counted again. `record` holds a packed record at `at`, whose own seconds are not
   * looked at; `flags` are COMPLETED_ONCE and IS_PARTIAL_SEED. Returns Outcome.refused when the table is full.
   */
  restorePeer(
    slot: number,
    family: Family,
    isSeeder: boolean,
    flags: number,
    lastSeenSeconds: number,
    record: Uint8Array,
    at: number,
    now: number,
    ttlSeconds: number,
    winsTies = false,
  ): Outcome {
    this.advance(now);
    const seen = Math.min(lastSeenSeconds, this.#now);
    if (this.#now - seen > ttlSeconds) return Outcome.refreshed;
    const peers = this.families[family];
    const peerIdAt = at + (peers.layout.portWord + 1) * 4;
    peers.load(record, at, record, peerIdAt);
    if (peers.locate(slot, isSeeder)) {
      const laterBySeconds = peers.ageOfLocated(this.#now) - (this.#now - seen);
      if (laterBySeconds > 0 || (laterBySeconds === 0 && winsTies)) {
        // Another tracker may not have known that this peer's completion is counted.
        const isRemembered = laterBySeconds > 0 && laterBySeconds <= ttlSeconds && peers.isCompletedLocated;
        peers.overwrite(isSeeder, isRemembered ? flags | COMPLETED_ONCE : flags, seen);
        this.#touch(slot, seen);
      } else if ((flags & COMPLETED_ONCE) !== 0) {
        peers.markCompleted();
      }
      return Outcome.refreshed;
    }
    if (this.isNearlyFull || !this.#put(peers, slot, isSeeder, flags, seen)) {
      this.#closeIfUnused(slot);
      return Outcome.refused;
    }
    this.#touch(slot, seen);
    return Outcome.added;
  }

  // --- inside

  #removeLocated(peers: FamilyPeers, slot: number): void {
    peers.removeLocated();
    this.#afterPeersRemoved(slot, 1);
    this.#touch(slot, this.#now);
  }

  #add(peers: FamilyPeers, slot: number, isSeeder: boolean, flags: number, seen: number): Outcome {
    let givesWay = false;
    if (this.isNearlyFull) {
      givesWay = this.families[0].peersOf(slot) + this.families[1].peersOf(slot) > LARGE_SWARM_PEERS;
      if (!givesWay && this.peers >= this.peersMax) return Outcome.refused;
    }
    if (!this.#put(peers, slot, isSeeder, flags, seen)) return Outcome.refused;
    if (!givesWay) return Outcome.added;
    // Only now: a peer that memory has no room for must push nobody out.
    this.#evictPeer(slot, peers, isSeeder);
    return Outcome.replaced;
  }

  /** Adds the current peer, however full the table is; false when memory is out. */
  #put(peers: FamilyPeers, slot: number, isSeeder: boolean, flags: number, seen: number): boolean {
    const hadPeers = this.memory.hasPeers(slot);
    if (!hadPeers && this.#retained.has(slot)) this.#retained.remove(slot);
    if (!peers.add(slot, isSeeder, flags, seen)) return false;
    if (!hadPeers) this.#swarms += 1;
    return true;
  }

  #countCompletion(slot: number): void {
    this.memory.slots.words[this.memory.slots.base(slot) + COMPLETED_WORD] += 1;
    this.#completed += 1;
    this.#walk?.noteCompletion(slot);
  }

  #touch(slot: number, now: number): void {
    const at = this.memory.slots.base(slot) + LAST_ACTIVITY_WORD;
    this.memory.slots.words[at] = Math.max(this.memory.slots.words[at], now);
    this.changes += 1;
  }

  #afterPeersRemoved(slot: number, removed: number): void {
    this.changes += removed;
    if (!this.memory.hasPeers(slot)) this.#swarms -= 1;
  }

  /** A swarm that was opened for a peer that could not be stored, and remembers nothing, goes. */
  #closeIfUnused(slot: number): void {
    if (!this.memory.hasPeers(slot)) this.#retainOrRemove(slot);
  }

  #retainOrRemove(slot: number): void {
    if (this.#retained.has(slot)) return;
    const { words } = this.memory.slots;
    const base = this.memory.slots.base(slot);
    const isOld = this.#now - words[base + LAST_ACTIVITY_WORD] > RETAIN_SECONDS;
    if (words[base + COMPLETED_WORD] === 0 || isOld) {
      this.#removeSlot(slot);
      return;
    }
    this.#retained.add(slot);
    if (this.#retained.count > this.swarmsMax * RETAINED_SHARE) this.#removeRetained(this.#retained.oldest());
  }

  #expireRetained(): void {
    const { slots } = this.memory;
    for (;;) {
      const slot = this.#retained.oldest();
      if (slot < 0 || this.#now - slots.words[slots.base(slot) + LAST_ACTIVITY_WORD] <= RETAIN_SECONDS)
        return;
      this.#removeRetained(slot);
    }
  }

  #removeRetained(slot: number): void {
    this.#retained.remove(slot);
    this.#removeSlot(slot);
  }

  #clearSwarm(slot: number): void {
    if (this.#retained.has(slot)) this.#retained.remove(slot);
    if (!this.memory.hasPeers(slot)) return;
    this.families[0].clear(slot);
    this.families[1].clear(slot);
    this.#swarms -= 1;
    this.changes += 1;
  }

  #removeSlot(slot: number): void {
    this.#walk?.noteRemoval(slot);
    this.memory.slots.remove(slot);
    this.changes += 1;
  }

  #clearPeers(): void {
    for (let slot = 0; slot < this.memory.slots.highWater; slot++) {
      if (this.memory.slots.isUsed(slot) && this.memory.hasPeers(slot)) this.#clearSwarm(slot);
    }
  }

  /** A peer of the swarm goes, but not the current one, which has just come. */
  #evictPeer(slot: number, newcomer: FamilyPeers, isSeeder: boolean): void {
    if (!this.#eviction.removePeer(slot, newcomer, isSeeder, this.#now)) return;
    this.#evicted += 1;
    this.#afterPeersRemoved(slot, 1);
  }

  /** A one-peer swarm goes, or else the oldest remembered one. False when there is neither. */
  #evictSwarm(): boolean {
    const { slots } = this.memory;
    const slot = this.#eviction.chooseSwarm(this.#now, (empty) => {
      this.#retainOrRemove(empty);
      return slots.count < slots.slotsMax;
    });
    if (slots.count < slots.slotsMax) return true;
    if (slot >= 0) {
      this.#clearSwarm(slot);
      this.#removeSlot(slot);
      this.#evicted += 1;
      return true;
    }
    if (this.#retained.count === 0) return false;
    this.#removeRetained(this.#retained.oldest());
    return true;
  }
}
