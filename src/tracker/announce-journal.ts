/**
 * What the tracker tells of each announce that it applied, to whoever keeps it beyond this process (rule D-J1).
 * The calls come in the order in which the table changed, right after each change; the bytes given are valid only
 * during the call.
 */
import type { Family } from '../swarm/record.ts';

export interface AnnounceJournal {
  /** A peer was heard; `record` is how the table keeps it now (swarm/record.ts). */
  sighted(infoHash: Uint8Array, family: Family, isSeeder: boolean, record: Uint8Array): void;
  /**
   * A peer has stopped, whether the table knew it or not. `ageSeconds` is how long ago it had been heard, -1 when
   * the table did not know it.
   */
  stopped(
    infoHash: Uint8Array,
    family: Family,
    endpoint: Uint8Array,
    ageSeconds: number,
    nowSeconds: number,
  ): void;
  /** A completed download was counted. */
  completed(infoHash: Uint8Array): void;
}

/** For a tracker whose announces nobody keeps. */
export const NO_JOURNAL: AnnounceJournal = { sighted() {}, stopped() {}, completed() {} };
