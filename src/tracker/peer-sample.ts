/**
 * The peers of one answer, drawn at random from one swarm and laid out as replies want them. The asker's own
 * family comes first, the other gets what is left of the number wanted (BEP 7: one swarm, two families). Every
 * sample is made in the same memory, so its views are valid until the next one.
 */
import { PEER_ID_BYTES } from '../protocol/announce-request.ts';
import { ENDPOINT_BYTES, type Family, IPV4, IPV6 } from '../swarm/record.ts';
import type { SwarmTable } from '../swarm/swarm-table.ts';

const NOTHING: Uint8Array = new Uint8Array(0);

export class PeerSample {
  /** IPv4 endpoints, 6 bytes each. */
  peers = NOTHING;
  /** IPv6 endpoints, 18 bytes each. */
  peers6 = NOTHING;
  /** Peer ids, 20 bytes each: those of `peers`, then those of `peers6`; empty unless asked for. */
  peerIds = NOTHING;

  readonly #table: SwarmTable;
  readonly #picks: Uint32Array;
  readonly #endpoints: readonly [Uint16Array, Uint16Array];
  /** Of the first so many endpoints, made once each: a view costs more than what it shows costs to copy. */
  readonly #views: readonly [Uint8Array[], Uint8Array[]];
  readonly #ids: Uint8Array;

  constructor(table: SwarmTable, peersMax: number) {
    this.#table = table;
    this.#picks = new Uint32Array(peersMax);
    this.#endpoints = [
      new Uint16Array((peersMax * ENDPOINT_BYTES[IPV4]) / 2),
      new Uint16Array((peersMax * ENDPOINT_BYTES[IPV6]) / 2),
    ];
    this.#views = [viewsOf(this.#endpoints[IPV4], IPV4), viewsOf(this.#endpoints[IPV6], IPV6)];
    this.#ids = new Uint8Array(peersMax * PEER_ID_BYTES);
  }

  clear(): void {
    this.peers = NOTHING;
    this.peers6 = NOTHING;
    this.peerIds = NOTHING;
  }

  /**
   * Draws up to `wanted` peers of the swarm in `slot`, for an asker of `family` at endpoint `asker`, which is
   * left out.
   */
  draw(
    slot: number,
    family: Family,
    asker: Uint8Array,
    wanted: number,
    leechersOnly: boolean,
    withPeerIds: boolean,
  ): void {
    const picks = this.#picks;
    const other: Family = family === IPV4 ? IPV6 : IPV4;
    const own = this.#table.sample(slot, family, wanted, leechersOnly, asker, picks, 0);
    const rest =
      own < wanted ? this.#table.sample(slot, other, wanted - own, leechersOnly, undefined, picks, own) : 0;

    const ownEndpoints = this.#copyEndpoints(family, 0, own);
    const otherEndpoints = this.#copyEndpoints(other, own, rest);
    this.peers = family === IPV4 ? ownEndpoints : otherEndpoints;
    this.peers6 = family === IPV4 ? otherEndpoints : ownEndpoints;
    this.peerIds = NOTHING;
    if (withPeerIds) {
      const countIpv4 = family === IPV4 ? own : rest;
      this.#copyPeerIds(family, 0, own, family === IPV4 ? 0 : countIpv4);
      this.#copyPeerIds(other, own, rest, family === IPV4 ? countIpv4 : 0);
      this.peerIds = this.#ids.subarray(0, (own + rest) * PEER_ID_BYTES);
    }
  }

  #copyEndpoints(family: Family, from: number, count: number): Uint8Array {
    if (count === 0) return NOTHING;
    this.#table.copyEndpoints(this.#picks, from, from + count, family, this.#endpoints[family]);
    return this.#views[family][count];
  }

  #copyPeerIds(family: Family, from: number, count: number, to: number): void {
    for (let index = 0; index < count; index++) {
      this.#table.copyPeerId(this.#picks[from + index], family, this.#ids, (to + index) * PEER_ID_BYTES);
    }
  }
}

function viewsOf(endpoints: Uint16Array, family: Family): Uint8Array[] {
  const bytes = new Uint8Array(endpoints.buffer);
  const width = ENDPOINT_BYTES[family];
  return Array.from({ length: bytes.length / width + 1 }, (_, count) => bytes.subarray(0, count * width));
}
