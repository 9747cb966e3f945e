/**
 * What everything that brings saved peers back into the table is given, and counts: where they go, who must not come
 * back, and by which clock.
 */
import type { UniqueAddresses } from '../../stats/unique-addresses.ts';
import type { SwarmTable } from '../../swarm/swarm-table.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import type { StopMemory } from './stop-memory.ts';

/** What a restore needs of the table. */
export type SwarmDestination = Pick<
  SwarmTable,
  | 'changes'
  | 'swarmsMax'
  | 'slotsInUse'
  | 'find'
  | 'open'
  | 'expectSwarms'
  | 'restoreTotals'
  | 'raiseTotals'
  | 'restoreSwarm'
  | 'restorePeer'
>;

export interface RestoreSettings {
  readonly table: SwarmDestination;
  /** False for a hash that must not come back. */
  readonly isServed: (infoHash: Uint8Array) => boolean;
  readonly peerTtlSeconds: number;
  /** Who must not come back. */
  readonly stops: StopMemory;
  /** Counts each restored peer's address as if it had been heard. */
  readonly addresses: Pick<UniqueAddresses, 'add'>;
  readonly nowSeconds: () => number;
  /** What was added to this machine's times to make them the store's. */
  readonly offsetSeconds: number;
  readonly keys: StoreKeys;
}

/** What became of the peers that were read. */
export interface RestoreCounts {
  peersRestored: number;
  /** Not heard for longer than PEER_TTL. */
  peersExpired: number;
  /** The table had no room. */
  peersLeftOut: number;
  peersNotServed: number;
  /** Stopped since (rule D-S4). */
  peersStopped: number;
}

export function noCounts(): RestoreCounts {
  return { peersRestored: 0, peersExpired: 0, peersLeftOut: 0, peersNotServed: 0, peersStopped: 0 };
}

/** Restored swarms fill the table up to here, so that none has to push out one that is live. */
const SWARMS_SHARE_MAX = 0.95;

/** The slot of the swarm, made when there is room; -1 rather than pushing out another. */
export function openIfRoom(table: SwarmDestination, infoHash: Uint8Array, now: number): number {
  const hasRoom = table.slotsInUse < table.swarmsMax * SWARMS_SHARE_MAX;
  return hasRoom ? table.open(infoHash, now) : table.find(infoHash);
}
