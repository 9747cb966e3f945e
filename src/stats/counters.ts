/**
 * What happened since the start, as plain integers that those who make it happen add to: `counters.hits += 1`.
 * Nothing here reads a clock or allocates, so counting costs the announce path an addition. Rates are rates.ts's
 * work, the shape in which they are shown stats-report.ts's and expvar.ts's.
 */
import { ClientCounts } from './client-counts.ts';
import { ANNOUNCE_BOUNDS_SECONDS, Histogram } from './histogram.ts';
import { UniqueAddresses } from './unique-addresses.ts';

export interface CountersOptions {
  /** How long an address counts as present: PEER_TTL. */
  readonly addressWindowSeconds?: number;
  /** Random at each start, so that nobody can choose addresses that collide. */
  readonly hashKey?: readonly [number, number];
}

export class Counters {
  /** Requests of any kind that reached a route or were refused before one. */
  hits = 0;
  /** Connections accepted. */
  connects = 0;

  /** Announce requests, answered well or not. */
  announces = 0;
  announcesIpv4 = 0;
  announcesIpv6 = 0;
  /** Announces by event; `started` counts as none, as the tracker treats it. */
  announcesCompleted = 0;
  announcesStopped = 0;
  announcesPaused = 0;
  /** Announces answered whose peer found no room in the table. */
  announcesNotStored = 0;

  /** Scrape requests, answered well or not, and the info hashes in them. */
  scrapes = 0;
  scrapedHashes = 0;

  /** Announces and scrapes answered by the express lane, and connections it handed to node:http. */
  laneAnnounces = 0;
  laneScrapes = 0;
  laneHandovers = 0;

  /** Announces and scrapes refused for what they say: a parameter missing or wrong. */
  refusedMalformed = 0;
  /** Announces refused because the client's address can't be known or can't be a peer. */
  refusedAddress = 0;
  /** Announces refused because the info hash is banned. */
  refusedBanned = 0;
  /** Announces refused because the info hash is not on the allow list, or the list is not loaded yet. */
  refusedNotAllowed = 0;

  /** Answers that blame the client: a failure reason or a 4xx. */
  errorsClient = 0;
  /** Failures of the tracker's own while it answered. */
  errorsServer = 0;

  /**
   * Of each announce that was answered, from when its bytes were read to when its reply was written. The express lane
   * gives all announces of one turn of the event loop the time from the first byte read to the last reply written.
   */
  readonly announceLatency = new Histogram(ANNOUNCE_BOUNDS_SECONDS);

  /** The programs that the announces applied within the last hour came from. */
  readonly clients = new ClientCounts();

  /** The addresses that announced within the window. */
  readonly addresses: UniqueAddresses;

  constructor(options: CountersOptions = {}) {
    const { addressWindowSeconds = 3_600, hashKey = [0, 0] } = options;
    this.addresses = new UniqueAddresses({ windowSeconds: addressWindowSeconds, hashKey });
  }
}
