/**
 * Forgets one swarm: its peers a few at a time, since there may be hundreds of thousands, and then its count of
 * completed downloads. The journal is told of each peer as if it had stopped, so that neither a restart nor another
 * tracker on the same store brings it back. The count is in no journal: it is gone from this table, and from the next
 * snapshot that is saved of it. Who announces afterwards is a peer again; only a ban keeps a swarm away.
 */
import { ENDPOINT_BYTES, type Family, IPV4, IPV6 } from '../swarm/record.ts';
import type { SwarmTable } from '../swarm/swarm-table.ts';
import type { AnnounceJournal } from './announce-journal.ts';

const PEERS_PER_STEP = 64;

export class SwarmDrop {
  /** Peers that have gone so far. */
  peers = 0;
  /** The count of completed downloads that went with the swarm. */
  completed = 0;
  readonly #table: SwarmTable;
  readonly #journal: AnnounceJournal;
  readonly #infoHash: Uint8Array;
  readonly #picks = new Uint32Array(PEERS_PER_STEP);
  readonly #endpoints = new Uint16Array((PEERS_PER_STEP * ENDPOINT_BYTES[IPV6]) / 2);

  constructor(table: SwarmTable, journal: AnnounceJournal, infoHash: Uint8Array) {
    this.#table = table;
    this.#journal = journal;
    this.#infoHash = infoHash;
  }

  /** Removes some peers, and the swarm with the last; false when it is gone. */
  step(now: number): boolean {
    const slot = this.#table.find(this.#infoHash);
    if (slot < 0) return false;
    this.#removeSome(slot, IPV4, now);
    this.#removeSome(slot, IPV6, now);
    if (this.#table.seeders(slot) + this.#table.leechers(slot) > 0) return true;
    this.completed = this.#table.completed(slot);
    this.#table.drop(this.#infoHash);
    return false;
  }

  #removeSome(slot: number, family: Family, now: number): void {
    const table = this.#table;
    const count = table.sample(slot, family, PEERS_PER_STEP, false, undefined, this.#picks, 0);
    table.copyEndpoints(this.#picks, 0, count, family, this.#endpoints);
    const bytes = new Uint8Array(this.#endpoints.buffer);
    const endpointBytes = ENDPOINT_BYTES[family];
    for (let index = 0; index < count; index++) {
      const endpoint = bytes.subarray(index * endpointBytes, (index + 1) * endpointBytes);
      const ageSeconds = table.forget(slot, family, endpoint, now);
      this.#journal.stopped(this.#infoHash, family, endpoint, ageSeconds, now);
    }
    this.peers += count;
  }
}
