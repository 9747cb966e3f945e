/**
 * One number per client, for who counts what each of them does: a client is its address as an announce's would be
 * (client-address.ts), an IPv6 one its network of 56 bits, since a household has so many. The number is one of 65,536
 * keyed hashes of it: that bounds the memory of who counts, and keeps no address. Two clients may share one.
 */
import type { IncomingMessage } from 'node:http';
import { ClientError } from '../protocol/client-error.ts';
import { type HashKey, halfSipHash } from '../swarm/half-sip-hash.ts';
import { type ClientAddresses, forwardingOf, remoteAddressOf } from './client-address.ts';

const CLIENTS_MAX = 0x10000;
const NETWORK_BYTES = 7;

export interface ClientNumbersOptions {
  readonly clientAddresses: Pick<ClientAddresses, 'addressOf'>;
  /** Secret of the hash of addresses. */
  readonly hashKey: HashKey;
}

export class ClientNumbers {
  readonly #options: ClientNumbersOptions;

  constructor(options: ClientNumbersOptions) {
    this.#options = options;
  }

  /** undefined when its address cannot be known: the proxies are not set up. */
  of(request: IncomingMessage): number | undefined {
    const { clientAddresses, hashKey } = this.#options;
    const connected = { address: remoteAddressOf(request.socket) };
    const address = clientAddresses.addressOf(connected, forwardingOf(request));
    if (address instanceof ClientError) return undefined;
    const words = new Uint32Array(2);
    new Uint8Array(words.buffer).set(address.subarray(0, NETWORK_BYTES));
    return halfSipHash(hashKey, words, 0, words.length) % CLIENTS_MAX;
  }
}
