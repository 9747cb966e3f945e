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
import type { Socket } from 'node:net';
import { parseAddress } from '../protocol/address.ts';
import { ClientError } from '../protocol/client-error.ts';
import { isUnreachable } from '../protocol/unreachable-address.ts';
import type { ProxyWarnings } from './proxy-warnings.ts';

const PROXY_NOT_CONFIGURED = new ClientError(
  'cannot determine client address: the operator of this tracker has to set TRUST_PROXY',
);
const NO_FORWARDED_ADDRESS = new ClientError(
  'cannot determine client address: no address where X-Forwarded-For should hold it',
);
const SOCKET_GONE = new ClientError('cannot determine client address: the connection is closed');

export interface ClientAddressOptions {
  /** How many proxies stand before the tracker; undefined when nobody said. */
  readonly trustProxy: number | undefined;
  readonly warnings: ProxyWarnings;
}

/** The connection that a request came over. */
export interface Connected {
  /** 4 or 16 bytes; undefined once the connection is gone. */
  readonly address: Uint8Array | undefined;
}

/** What a request's header says of proxies. */
export interface Forwarding {
  /** X-Forwarded-For, several lines joined by commas; undefined when there is none. */
  forwardedFor(): string | undefined;
  /**
   * The `place`-th entry of X-Forwarded-For, counted from 1 at the right, where it is seen without much ado to be an
   * IPv4 address; undefined says nothing. Valid until the next request.
   */
  forwardedIpv4(place: number): Uint8Array | undefined;
  /** Whether CF-Ray is there, which Cloudflare adds. */
  readonly hasCfRay: boolean;
  cfConnectingIp(): string | undefined;
}

export class ClientAddresses {
  readonly #trustProxy: number | undefined;
  readonly #warnings: ProxyWarnings;

  constructor({ trustProxy, warnings }: ClientAddressOptions) {
    this.#trustProxy = trustProxy;
    this.#warnings = warnings;
  }

  /** Of an announce: `addressOf`, and the warnings hear of it. */
  of(connected: Connected, forwarding: Forwarding): Uint8Array | ClientError {
    const address = this.addressOf(connected, forwarding);
    if (address === PROXY_NOT_CONFIGURED) {
      this.#warnings.refusedForwarded(entriesOf(forwarding.forwardedFor()).length);
    } else if (this.#trustProxy === 0 && isThroughProxy(connected, forwarding)) {
      this.#warnings.ignoredForwarded(entriesOf(forwarding.forwardedFor()).length);
    }
    if (forwarding.hasCfRay) {
      const named = parseAddress(forwarding.cfConnectingIp()?.trim() ?? '');
      this.#warnings.heardThroughCdn(address, named, entriesOf(forwarding.forwardedFor()).map(parseEntry));
    }
    if (!(address instanceof ClientError)) this.#warnings.heardFrom(address);
    return address;
  }

  /**
   * The address (4 or 16 bytes, valid until the next request) it comes from, or why it can't be known. Of any request: a
   * view of a page says nothing of announces, so no warning comes of it.
   */
  addressOf(connected: Connected, forwarding: Forwarding): Uint8Array | ClientError {
    const trustProxy = this.#trustProxy ?? 0;
    if (trustProxy > 0) {
      return (
        forwarding.forwardedIpv4(trustProxy) ??
        forwardedAddress(forwarding.forwardedFor(), trustProxy) ??
        NO_FORWARDED_ADDRESS
      );
    }
    if (this.#trustProxy === undefined && isThroughProxy(connected, forwarding)) return PROXY_NOT_CONFIGURED;
    return connected.address ?? SOCKET_GONE;
  }
}

/** Whether a proxy beside us sent it: such have private addresses. */
function isThroughProxy({ address }: Connected, forwarding: Forwarding): boolean {
  return address !== undefined && forwarding.forwardedFor() !== undefined && isUnreachable(address);
}

/** The address of a socket's other end. */
export function remoteAddressOf({ remoteAddress }: Socket): Uint8Array | undefined {
  return remoteAddress === undefined ? undefined : parseAddress(withoutZone(remoteAddress));
}

/** What node:http read of a request's header. */
export function forwardingOf({ headers }: IncomingMessage): Forwarding {
  return {
    forwardedFor: () => joined(headers['x-forwarded-for']),
    forwardedIpv4: () => undefined,
    hasCfRay: headers['cf-ray'] !== undefined,
    cfConnectingIp: () => joined(headers['cf-connecting-ip']),
  };
}

function joined(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'object' ? header.join(',') : header;
}

function entriesOf(forwardedFor: string | undefined): readonly string[] {
  return forwardedFor === undefined ? [] : forwardedFor.split(',');
}

/** The address in the `place`-th entry from the right. */
export function forwardedAddress(forwardedFor: string | undefined, place: number): Uint8Array | undefined {
  const entry = forwardedFor === undefined ? undefined : entryFromRight(forwardedFor, place);
  return entry === undefined ? undefined : parseEntry(entry);
}

/** The `place`-th entry, counted from 1 at the right; undefined when there are fewer. */
function entryFromRight(forwardedFor: string, place: number): string | undefined {
  let end = forwardedFor.length;
  let comma = forwardedFor.lastIndexOf(',');
  for (let left = place - 1; left > 0; left--) {
    if (comma < 0) return undefined;
    end = comma;
    comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1);
  }
  return forwardedFor.slice(comma + 1, end);
}

/** `a.b.c.d`, `a.b.c.d:port`, `x::y`, `[x::y]` or `[x::y]:port`, spaces around it. */
function parseEntry(entry: string): Uint8Array | undefined {
  const text = entry.trim();
  const address = parseAddress(text);
  if (address !== undefined) return address;
  const bracketed = /^\[([^\]]*:[^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1];
  const withPort = /^([\d.]+):\d{1,5}$/.exec(text)?.[1];
  return parseAddress(bracketed ?? withPort ?? '');
}

/** The kernel names the interface of a link-local address; that part is about us, not about the client. */
function withoutZone(socketAddress: string): string {
  const zone = socketAddress.indexOf('%');
  return zone < 0 ? socketAddress : socketAddress.slice(0, zone);
}
