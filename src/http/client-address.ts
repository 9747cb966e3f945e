/**
 * Who is asking: the address of the socket, or what the proxies before us say. Each proxy appends the address
 * it was connected from to X-Forwarded-For, so with n trusted proxies the n-th entry from the right is true and
 * whatever stands further left is the client's own words. Several header lines are one list in their order.
 * Other headers (Forwarded, X-Real-IP, CF-Connecting-IP) are never believed. Asked anew for every request,
 * because a proxy sends many clients' requests over one connection.
 *
 * Addresses never reach a log from here. Whether an address may be a peer is tracker/peer-address.ts's.
 */
import type { IncomingMessage } from 'node:http';
import { parseAddress } from '../protocol/address.ts';
import { ClientError } from '../protocol/client-error.ts';
import { isUnreachable } from '../tracker/peer-address.ts';
import type { ProxyWarnings } from './proxy-warnings.ts';

export const PROXY_NOT_CONFIGURED = new ClientError(
  'cannot determine client address: the operator of this tracker has to set TRUST_PROXY',
);
export const NO_FORWARDED_ADDRESS = new ClientError(
  'cannot determine client address: no address where X-Forwarded-For should hold it',
);
const SOCKET_GONE = new ClientError('cannot determine client address: the connection is closed');

export interface ClientAddressOptions {
  /** How many proxies stand before the tracker; undefined when nobody said. */
  readonly trustProxy: number | undefined;
  readonly warnings: ProxyWarnings;
}

export class ClientAddresses {
  readonly #trustProxy: number | undefined;
  readonly #warnings: ProxyWarnings;

  constructor({ trustProxy, warnings }: ClientAddressOptions) {
    this.#trustProxy = trustProxy;
    this.#warnings = warnings;
  }

  /** The address (4 or 16 bytes) the request comes from, or why it can't be known. */
  of(request: IncomingMessage): Uint8Array | ClientError {
    const { headers, socket } = request;
    const forwardedFor = joined(headers['x-forwarded-for']);
    const address = this.#addressOf(socket.remoteAddress, forwardedFor);
    if (headers['cf-ray'] !== undefined) {
      const named = parseAddress(joined(headers['cf-connecting-ip'])?.trim() ?? '');
      this.#warnings.heardThroughCdn(address, named, entriesOf(forwardedFor).map(parseEntry));
    }
    if (!(address instanceof ClientError)) this.#warnings.heardFrom(address);
    return address;
  }

  #addressOf(socketAddress: string | undefined, forwardedFor: string | undefined): Uint8Array | ClientError {
    const trustProxy = this.#trustProxy ?? 0;
    if (trustProxy > 0) {
      const entries = entriesOf(forwardedFor);
      const entry = entries[entries.length - trustProxy];
      return (entry === undefined ? undefined : parseEntry(entry)) ?? NO_FORWARDED_ADDRESS;
    }
    const address = socketAddress === undefined ? undefined : parseAddress(withoutZone(socketAddress));
    if (address === undefined) return SOCKET_GONE;
    if (forwardedFor !== undefined && isUnreachable(address)) {
      const entryCount = entriesOf(forwardedFor).length;
      if (this.#trustProxy === undefined) {
        this.#warnings.refusedForwarded(entryCount);
        return PROXY_NOT_CONFIGURED;
      }
      this.#warnings.ignoredForwarded(entryCount);
    }
    return address;
  }
}

function joined(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'object' ? header.join(',') : header;
}

function entriesOf(forwardedFor: string | undefined): readonly string[] {
  return forwardedFor === undefined ? [] : forwardedFor.split(',');
}

/** `a.b.c.d`, `a.b.c.d:port`, `x::y`, `[x::y]` or `[x::y]:port`, spaces around it. */
function parseEntry(entry: string): Uint8Array | undefined {
  const text = entry.trim();
  const bracketed = /^\[([^\]]*:[^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1];
  const withPort = /^([\d.]+):\d{1,5}$/.exec(text)?.[1];
  return parseAddress(bracketed ?? withPort ?? text);
}

/** The kernel names the interface of a link-local address; that part is about us, not about the client. */
function withoutZone(socketAddress: string): string {
  const zone = socketAddress.indexOf('%');
  return zone < 0 ? socketAddress : socketAddress.slice(0, zone);
}
