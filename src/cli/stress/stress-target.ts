/**
 * Whom a load may hit: this machine, unless its owner says otherwise. The name is resolved once, all its addresses
 * are looked at, and the connections go to the address that was looked at.
 */
import { lookup } from 'node:dns/promises';
import { connect, isIPv4, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isInRange, parseAddress, parseAddressRange } from '../../protocol/address.ts';

export interface Target {
  /** For the Host field. */
  readonly host: string;
  readonly origin: string;
  /** What stands after the origin, when the URL has more than `/`. */
  readonly path: string | undefined;
  readonly connect: (number: number) => Socket;
}

const LOOPBACK = ['127.0.0.0/8', '::1'].map((text) => parseAddressRange(text)!);
const CONNECT_MS_MAX = 10_000;

/** The target of a URL, or why it may not be one. */
export async function stressTarget(url: string, isOwned: boolean): Promise<Target | string> {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
    return `${url}: not an http:// or https:// address`;
  const name = parsed.hostname.replace(/^\[|\]$/g, '');
  let addresses: readonly string[];
  try {
    addresses = (await lookup(name, { all: true })).map(({ address }) => address);
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : error}`;
  }
  if (!isOwned && !addresses.every(isLoopback)) {
    return `${name} is not this machine: a load is an attack on whoever did not ask for it. --i-own-this-host if it is yours`;
  }
  const address = addresses[0]!;
  const isTls = parsed.protocol === 'https:';
  const port = Number(parsed.port) || (isTls ? 443 : 80);
  return {
    host: parsed.host,
    origin: parsed.origin,
    path: parsed.pathname + parsed.search === '/' ? undefined : parsed.pathname + parsed.search,
    connect(number) {
      const socket = isTls
        ? connectTls({ host: address, port, ...(parseAddress(name) === undefined && { servername: name }) })
        : connect({ host: address, port, noDelay: true, ...sourceOf(number, address) });
      socket.setNoDelay(true);
      socket.setTimeout(CONNECT_MS_MAX, () => {
        if (socket.connecting) socket.destroy();
      });
      return socket;
    },
  };
}

function isLoopback(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && LOOPBACK.some((range) => isInRange(address, range));
}

/** On Linux all of 127/8 is this machine, so each connection can be another client. */
function sourceOf(number: number, address: string): { localAddress?: string } {
  if (process.platform !== 'linux' || !isIPv4(address) || !isLoopback(address)) return {};
  return { localAddress: `127.1.${(number >>> 8) & 0xff}.${1 + (number % 250)}` };
}
