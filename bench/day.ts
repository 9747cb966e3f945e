/**
 * The crowd of the day that the Go tracker of the same name published in May 2021: how many peers, in how many swarms,
 * from how many addresses, and who announces next. Seeded: every run announces the same peers in the same order.
 */
import { Zipf } from '../src/cli/stress/zipf.ts';
import { seededRandom } from '../test/builders/random.ts';
import { addressOf, announceRequest, type Crowd, escapedHash, infoHash } from './mix.ts';

export const PUBLISHED = {
  peers: 2_975_981,
  seeders: 1_014_075,
  swarms: 1_276_252,
  addresses: 441_528,
  announcesPerSecond: 1_500,
};
/** Makes a few swarms of thousands and very many of one to three. */
const ZIPF_EXPONENT = 0.8;
const SEED = 2021;
/** Prime, so that seeders are strewn over all swarms. */
const STRIDE = 1_000_003;

/** The peers: which swarm, which address and port, seeder or not, and who announces next. */
export class Day {
  readonly peers: number;
  readonly swarms: number;
  readonly seeders: number;
  readonly #addresses: number;
  readonly #swarmOf: Uint32Array;
  readonly #crowd: Crowd;
  readonly #random = seededRandom(SEED + 1);
  /** Peers that stopped and will be back, oldest first. */
  readonly #away: number[] = [];
  readonly #isAway = new Set<number>();

  /** `scale`: of the published figures; 1 is all of them. */
  constructor(scale: number) {
    const scaled = (count: number): number => Math.max(1, Math.round(count * scale));
    this.peers = scaled(PUBLISHED.peers);
    this.swarms = scaled(PUBLISHED.swarms);
    this.seeders = scaled(PUBLISHED.seeders);
    this.#addresses = scaled(PUBLISHED.addresses);
    this.#crowd = { name: 'day', swarms: this.swarms, peersPerSwarm: 1 };
    // Each swarm has one peer; the others are spread by Zipf's law.
    const random = seededRandom(SEED);
    const zipf = new Zipf(this.swarms, ZIPF_EXPONENT);
    this.#swarmOf = new Uint32Array(this.peers);
    for (let peer = 0; peer < this.peers; peer++) {
      this.#swarmOf[peer] = peer < this.swarms ? peer : zipf.draw(random);
    }
  }

  announce(peer: number, { numwant = 50, event }: { numwant?: number; event?: string } = {}): string {
    const isSeeder = (peer * STRIDE) % this.peers < this.seeders;
    const escaped = escapedHash(infoHash(this.#crowd, this.#swarmOf[peer]!));
    // Peers of one address have different ports, so all differ within their swarm.
    const ofAddress = Math.floor(peer / this.#addresses);
    const shape = { isForwarded: true, numwant, ...(event !== undefined && { event }) };
    return announceRequest(
      escaped,
      2 * ofAddress + (isSeeder ? 0 : 1),
      shape,
      addressOf(peer % this.#addresses),
    );
  }

  /** The next announce of the steady day: mostly a peer that is known; three in a hundred stop and come back. */
  next(): string {
    const drawn = this.#random() % 100;
    if (drawn < 3 && this.#away.length > 0) {
      const peer = this.#away.shift()!;
      this.#isAway.delete(peer);
      return this.announce(peer, { event: 'started' });
    }
    const peer = this.#random() % this.peers;
    if (drawn >= 6 || this.#isAway.has(peer)) {
      if (this.#isAway.delete(peer)) this.#away.splice(this.#away.indexOf(peer), 1);
      return this.announce(peer);
    }
    this.#away.push(peer);
    this.#isAway.add(peer);
    return this.announce(peer, { event: 'stopped' });
  }
}
