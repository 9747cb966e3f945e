/**
 * The use cases, whatever the transport: a peer announces, somebody scrapes, time passes. What is heard goes
 * into the swarm table at once, in the order in which it came; the answer tells the state after it.
 *
 * Promises: an announce that is refused changes nothing; a scrape never changes anything; no client is refused
 * for announcing early or often. Leaves to others where the client's address comes from, which bytes carry the
 * answer, and everything about how swarms are kept.
 */
import { type Access, Verdict } from '../access/access.ts';
import type { AddressRange } from '../protocol/address.ts';
import type { AnnounceReply } from '../protocol/announce-reply.ts';
import type { AnnounceRequest } from '../protocol/announce-request.ts';
import type { ClientError } from '../protocol/client-error.ts';
import type { ScrapedTorrent, ScrapeReply } from '../protocol/scrape-reply.ts';
import { UNREACHABLE_ADDRESS } from '../protocol/unreachable-address.ts';
import type { Counters } from '../stats/counters.ts';
import type { Purge } from '../swarm/purge.ts';
import {
  ENDPOINT_BYTES,
  type Family,
  IPV4,
  IPV6,
  LEECHER,
  PARTIAL_SEED,
  type Role,
  SEEDER,
} from '../swarm/record.ts';
import type { Random } from '../swarm/sampling.ts';
import { Outcome, type SwarmTable } from '../swarm/swarm-table.ts';
import type { AnnounceJournal } from './announce-journal.ts';
import { BANNED, denialFor } from './denial.ts';
import { PeerAddresses } from './peer-address.ts';
import { PeerSample } from './peer-sample.ts';
import { SwarmDrop } from './swarm-drop.ts';

export interface TrackerSettings {
  readonly announceIntervalSeconds: number;
  /** Each answer's interval is drawn evenly from announceIntervalSeconds ± this. */
  readonly announceIntervalJitterSeconds: number;
  readonly minAnnounceIntervalSeconds: number;
  /** How many peers a client gets that does not say how many it wants. */
  readonly numwantDefault: number;
  readonly numwantMax: number;
  readonly peerTtlSeconds: number;
  readonly trustProxy: number | undefined;
  readonly allowPrivatePeers: boolean | undefined;
  readonly trustIpParamFrom: readonly AddressRange[];
}

/** A swarm's counts as the table has them, served or not. */
export interface SwarmCounts {
  readonly seeders: number;
  /** Partial seeds among them. */
  readonly leechers: number;
  readonly partialSeeds: number;
  /** Completed downloads, ever. */
  readonly completed: number;
}

export interface TrackerOptions {
  readonly table: SwarmTable;
  readonly access: Pick<Access, 'verdict'>;
  readonly counters: Counters;
  readonly journal: AnnounceJournal;
  readonly settings: TrackerSettings;
  /** Draws the intervals. */
  readonly random: Random;
}

const TABLE_IS_FULL = 'tracker is full: you got peers but are not listed for others';

export class Tracker {
  readonly #table: SwarmTable;
  readonly #access: Pick<Access, 'verdict'>;
  readonly #counters: Counters;
  readonly #journal: AnnounceJournal;
  readonly #settings: TrackerSettings;
  readonly #random: Random;
  readonly #addresses: PeerAddresses;

  readonly #sample: PeerSample;
  /** The asker's endpoint, by family. */
  readonly #endpoints: readonly [Uint8Array, Uint8Array];

  constructor({ table, access, counters, journal, settings, random }: TrackerOptions) {
    this.#table = table;
    this.#access = access;
    this.#counters = counters;
    this.#journal = journal;
    this.#settings = settings;
    this.#random = random;
    this.#addresses = new PeerAddresses(settings);
    this.#sample = new PeerSample(table, settings.numwantMax);
    this.#endpoints = [new Uint8Array(ENDPOINT_BYTES[IPV4]), new Uint8Array(ENDPOINT_BYTES[IPV6])];
  }

  /**
   * Applies an announce and answers it.
   *
   * @param source where the request came from: 4 or 16 bytes
   * @param now seconds since the epoch
   * @returns the answer, whose bytes are valid until the next announce; or why nothing was done
   */
  announce(request: AnnounceRequest, source: Uint8Array, now: number): AnnounceReply | ClientError {
    const address = this.#addresses.select(source, request.ip);
    if (address === undefined) {
      this.#counters.refusedAddress += 1;
      return UNREACHABLE_ADDRESS;
    }
    const denial = this.#denialOf(request.infoHash);
    if (denial !== undefined) return denial;
    this.#count(request, address, now);

    const table = this.#table;
    const family: Family = address.length === 4 ? IPV4 : IPV6;
    const endpoint = this.#endpoints[family];
    endpoint.set(address);
    endpoint[address.length] = request.port >> 8;
    endpoint[address.length + 1] = request.port & 0xff;

    const role = roleOf(request);
    let isStored = true;
    let slot: number;
    if (request.event === 'stopped') {
      slot = table.find(request.infoHash);
      const ageSeconds = slot < 0 ? -1 : table.forget(slot, family, endpoint, now);
      this.#journal.stopped(request.infoHash, family, endpoint, ageSeconds, now);
    } else if (request.port === 0) {
      // Hidden: told of the others, and they not of it.
      slot = table.find(request.infoHash);
    } else {
      slot = this.#sight(request, family, endpoint, role, now);
      if (slot < 0) {
        isStored = false;
        this.#counters.announcesNotStored += 1;
        // A swarm that was opened for this peer alone is gone again.
        slot = table.find(request.infoHash);
      }
    }

    const wanted = this.#wantedBy(request);
    if (slot >= 0 && wanted > 0) {
      // Who has everything it wants gets leechers only, even when they are few: others are of no use to it.
      const leechersOnly = role !== LEECHER;
      const withPeerIds = !request.isCompact && request.withPeerIds;
      this.#sample.draw(slot, family, endpoint, wanted, leechersOnly, withPeerIds);
    } else {
      this.#sample.clear();
    }
    return this.#reply(slot, address, isStored);
  }

  /**
   * The counts of each torrent in `hashes`, in that order; zeros for one that is unknown or not served.
   */
  scrape(hashes: readonly Uint8Array[]): ScrapeReply {
    this.#counters.scrapedHashes += hashes.length;
    return {
      files: hashes.map((infoHash) => this.#scraped(infoHash)),
      minRequestIntervalSeconds: this.#settings.minAnnounceIntervalSeconds,
    };
  }

  /** The swarm's counts; undefined when the table knows none. */
  swarm(infoHash: Uint8Array): SwarmCounts | undefined {
    const table = this.#table;
    const slot = table.find(infoHash);
    if (slot < 0) return undefined;
    return {
      seeders: table.seeders(slot),
      leechers: table.leechers(slot),
      partialSeeds: table.partialSeeds(slot),
      completed: table.completed(slot),
    };
  }

  /** Forgets, step by step, the swarm's peers and its count. */
  drop(infoHash: Uint8Array): SwarmDrop {
    return new SwarmDrop(this.#table, this.#journal, infoHash);
  }

  /** Forgets, step by step, the peers not heard for `peerTtlSeconds` and the swarms left empty. */
  purge(now: number): Purge {
    return this.#table.purge(now, this.#settings.peerTtlSeconds);
  }

  /** Stores the peer and tells the journal. The swarm's slot; -1 when there was no room. */
  #sight(request: AnnounceRequest, family: Family, endpoint: Uint8Array, role: Role, now: number): number {
    const table = this.#table;
    const { infoHash, peerId } = request;
    const slot = table.open(infoHash, now);
    if (slot < 0) return -1;
    const isCompletion = request.event === 'completed' && role === SEEDER;
    const completedBefore = table.completed(slot);
    if (table.sight(slot, family, endpoint, peerId, role, isCompletion, now) === Outcome.refused) return -1;
    this.#journal.sighted(infoHash, family, role === SEEDER, table.recordSighted(family));
    if (table.completed(slot) !== completedBefore) this.#journal.completed(infoHash);
    return slot;
  }

  #reply(slot: number, address: Uint8Array, isStored: boolean): AnnounceReply {
    const table = this.#table;
    const sample = this.#sample;
    const isKnown = slot >= 0;
    const intervalSeconds = this.#drawInterval();
    return {
      complete: isKnown ? table.seeders(slot) : 0,
      incomplete: isKnown ? table.leechers(slot) : 0,
      downloaded: isKnown ? table.completed(slot) : 0,
      intervalSeconds,
      // A `min interval` above `interval` would be ignored (BiglyBT).
      minIntervalSeconds: Math.min(this.#settings.minAnnounceIntervalSeconds, intervalSeconds),
      externalIp: address,
      peers: sample.peers,
      peers6: sample.peers6,
      peerIds: sample.peerIds,
      warningMessage: isStored ? undefined : TABLE_IS_FULL,
    };
  }

  #scraped(infoHash: Uint8Array): ScrapedTorrent {
    const table = this.#table;
    const isServed = this.#access.verdict(infoHash) === Verdict.served;
    const slot = isServed ? table.find(infoHash) : -1;
    if (slot < 0) return { infoHash, complete: 0, downloaded: 0, downloaders: 0, incomplete: 0 };
    const incomplete = table.leechers(slot);
    return {
      infoHash,
      complete: table.seeders(slot),
      downloaded: table.completed(slot),
      downloaders: incomplete - table.partialSeeds(slot),
      incomplete,
    };
  }

  #denialOf(infoHash: Uint8Array): ClientError | undefined {
    const denial = denialFor(this.#access.verdict(infoHash));
    if (denial === BANNED) this.#counters.refusedBanned += 1;
    else if (denial !== undefined) this.#counters.refusedNotAllowed += 1;
    return denial;
  }

  #count(request: AnnounceRequest, address: Uint8Array, now: number): void {
    const counters = this.#counters;
    if (address.length === 4) counters.announcesIpv4 += 1;
    else counters.announcesIpv6 += 1;
    if (request.event === 'completed') counters.announcesCompleted += 1;
    else if (request.event === 'stopped') counters.announcesStopped += 1;
    else if (request.event === 'paused') counters.announcesPaused += 1;
    counters.addresses.add(address, now);
    counters.clients.count(request.peerId);
  }

  #wantedBy({ event, numwant }: AnnounceRequest): number {
    if (event === 'stopped') return 0;
    const { numwantDefault, numwantMax } = this.#settings;
    return Math.min(numwant < 0 ? numwantDefault : numwant, numwantMax);
  }

  /** Uniform over the whole seconds of the range, so that peers who came together drift apart. */
  #drawInterval(): number {
    const { announceIntervalSeconds, announceIntervalJitterSeconds: jitter } = this.#settings;
    return announceIntervalSeconds - jitter + Math.floor((this.#random() / 2 ** 32) * (2 * jitter + 1));
  }
}

/** What a client is by what it says (BEP 3; partial seeds: BEP 21). One that says nothing of `left` leeches. */
function roleOf({ left, event }: AnnounceRequest): Role {
  if (left === 'zero' || (left === 'unknown' && event === 'completed')) return SEEDER;
  return event === 'paused' ? PARTIAL_SEED : LEECHER;
}
