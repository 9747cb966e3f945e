/**
 * The largest swarms, by their sizes; by their info hashes only where the operator wants that. Looked for once a minute
 * (swarm/largest-swarms.ts). A swarm that is no longer served is not shown from that moment on.
 */
import { formatInfoHash } from '../protocol/info-hash.ts';
import type { CountedSwarm } from '../swarm/largest-swarms.ts';

export const BUSIEST_SWARMS = 10;

export interface BusySwarm {
  readonly peers: number;
  readonly seeders: number;
  readonly leechers: number;
  /** 40 hex characters. */
  readonly infoHash?: string;
}

export interface BusiestSwarmsOptions {
  readonly isServed: (infoHash: Uint8Array) => boolean;
  /** STATS_SHOW_HASHES. */
  readonly showsHashes: boolean;
}

export class BusiestSwarms {
  readonly #options: BusiestSwarmsOptions;
  #found: readonly CountedSwarm[] = [];

  constructor(options: BusiestSwarmsOptions) {
    this.#options = options;
  }

  /** These are the largest now, the very largest first. */
  found(swarms: readonly CountedSwarm[]): void {
    this.#found = swarms;
  }

  /** As they were when they were last looked for, the largest first. */
  get shown(): readonly BusySwarm[] {
    const { isServed, showsHashes } = this.#options;
    return this.#found
      .filter(({ infoHash }) => isServed(infoHash))
      .map(({ infoHash, peers, seeders }) => ({
        peers,
        seeders,
        leechers: peers - seeders,
        ...(showsHashes ? { infoHash: formatInfoHash(infoHash) } : {}),
      }));
  }
}
