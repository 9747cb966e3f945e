/**
 * The announces that all servers hear: peer p of swarm s is peer s × peersPerSwarm + p, and everything about it
 * follows from that number. bench/requests.lua makes the same requests from the same numbers.
 */
import { createHash } from 'node:crypto';

export interface Crowd {
  readonly swarms: number;
  readonly peersPerSwarm: number;
  /** Crowds of different names have no swarm in common. */
  readonly name: string;
}

export function infoHash(crowd: Crowd, swarm: number): Buffer {
  return createHash('sha1').update(`${crowd.name} ${swarm}`).digest();
}

/** As clients escape a hash: unreserved characters stand for themselves. */
const ESCAPED: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9._~-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
});

export function escapedHash(hash: Uint8Array): string {
  let text = '';
  for (let at = 0; at < hash.length; at++) text += ESCAPED[hash[at]!];
  return text;
}

export interface RequestShape {
  /** Whether the peer's address stands in X-Forwarded-For. */
  readonly isForwarded: boolean;
  /** Half of the peers, seeders and leechers alike, have IPv6 addresses. */
  readonly isMixed?: boolean;
  readonly isFresh?: boolean;
  readonly numwant?: number;
  readonly event?: string;
}

/** A whole request head. */
export function announceRequest(
  escaped: string,
  peer: number,
  shape: RequestShape,
  address?: string,
): string {
  const { isForwarded, isMixed = false, isFresh = false, numwant = 50, event } = shape;
  const from = address ?? (isMixed ? mixedAddressOf(peer) : addressOf(peer));
  return (
    `GET /announce?info_hash=${escaped}&peer_id=-TR4050-${String(peer).padStart(12, '0')}` +
    `&port=${portOf(peer)}&uploaded=0&downloaded=0&left=${peer % 2 === 0 ? 0 : 1048576}&numwant=${numwant}` +
    `&key=7186ca34&compact=1${event === undefined ? '' : `&event=${event}`} HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
    `User-Agent: Transmission/4.0.5\r\nAccept: */*\r\n` +
    (isForwarded ? `X-Forwarded-For: ${from}\r\n` : '') +
    `${isFresh ? 'Connection: close\r\n' : ''}\r\n`
  );
}

export function portOf(peer: number): number {
  return 1024 + (peer % 60_000);
}

export function addressOf(peer: number): string {
  return `${11 + ((peer >>> 24) & 0x3f)}.${(peer >>> 16) & 0xff}.${(peer >>> 8) & 0xff}.${peer & 0xff}`;
}

/** Two of four peers that follow each other, a seeder and a leecher, over IPv6. */
export function mixedAddressOf(peer: number): string {
  if (peer % 4 < 2) return addressOf(peer);
  const groups = [peer >>> 16, peer & 0xffff, (peer * 7) & 0xffff, (peer * 13) & 0xffff];
  return `2a00:1450:${groups.map((group) => group.toString(16)).join(':')}:0:1`;
}
