/**
 * Which address a peer has, and whether it may be a peer's at all. The address of an announce is the one it
 * came from; the `ip` parameter counts only from sources the operator names, because anyone else could aim a
 * swarm at a victim with it. Where the request came from is found out elsewhere (http/client-address.ts).
 */
import { type AddressRange, isInRange } from '../protocol/address.ts';
import { isUnreachable } from '../protocol/unreachable-address.ts';

export interface PeerAddressOptions {
  /** How many proxies stand before the tracker; undefined when nobody said. */
  readonly trustProxy: number | undefined;
  /** Overrides what trustProxy implies: private peers are taken when the tracker is reached directly. */
  readonly allowPrivatePeers: boolean | undefined;
  /** Sources whose `ip` parameter counts. */
  readonly trustIpParamFrom: readonly AddressRange[];
}

export class PeerAddresses {
  readonly #arePrivateAllowed: boolean;
  readonly #trustIpParamFrom: readonly AddressRange[];

  constructor(options: PeerAddressOptions) {
    this.#arePrivateAllowed = options.allowPrivatePeers ?? (options.trustProxy ?? 0) === 0;
    this.#trustIpParamFrom = options.trustIpParamFrom;
  }

  /**
   * The address to list for a request from `source` that carries `ip`, if any; undefined when that address may
   * not be a peer.
   */
  select(source: Uint8Array, ip: Uint8Array | undefined): Uint8Array | undefined {
    const address = ip !== undefined && this.#mayNameItsAddress(source) ? ip : source;
    return this.#arePrivateAllowed || !isUnreachable(address) ? address : undefined;
  }

  #mayNameItsAddress(source: Uint8Array): boolean {
    return this.#trustIpParamFrom.some((range) => isInRange(source, range));
  }
}
