/**
 * Requests as clients make them: hashes and peer ids as bytes, queries in the order clients use, whole request
 * heads as raw bytes. The one place where tests build them.
 */
import { parseInfoHash } from '../../src/protocol/info-hash.ts';

/** The info hash of the wire tests: it holds bytes of every kind, NUL and bytes past 0x7f among them. */
export const HASH_1 = parseInfoHash('040b6b563f5c7214a6b798ad43c3c92e402400b9')!;
export const HASH_1_LOWER = '%04%0bkV%3f%5cr%14%a6%b7%98%adC%c3%c9.%40%24%00%b9';
export const HASH_1_UPPER = '%04%0BkV%3F%5Cr%14%A6%B7%98%ADC%C3%C9.%40%24%00%B9';
export const PEER_ID_1 = '-XX0001-000000000001';

/** A hash of 20 equal bytes. */
export const hashOf = (byte: number): Uint8Array => new Uint8Array(20).fill(byte);

/** A peer id of 20 bytes that ends in the number. */
export const peerIdOf = (number: number): string => `-XX0001-${String(number).padStart(12, '0')}`;

/** Percent-encodes all but RFC 3986's unreserved bytes, in capital hex as curl does. */
export function escaped(value: Uint8Array | string): string {
  let text = '';
  for (const byte of typeof value === 'string' ? Buffer.from(value, 'latin1') : value) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9._~-]/.test(character) ? character : escapedByte(byte);
  }
  return text;
}

/** Percent-encodes every byte. */
export function fullyEscaped(value: Uint8Array): string {
  return Array.from(value, escapedByte).join('');
}

/** Parameters of an announce; what is absent is left out of the query, values stand there as given. */
export interface AnnounceParameters {
  readonly info_hash?: string | undefined;
  readonly peer_id?: string | undefined;
  readonly port?: string | number | undefined;
  readonly uploaded?: string | number | undefined;
  readonly downloaded?: string | number | undefined;
  readonly left?: string | number | undefined;
  readonly compact?: string | number | undefined;
  readonly event?: string | undefined;
  readonly numwant?: string | number | undefined;
  readonly [name: string]: string | number | undefined;
}

const SEEDER_STARTS: AnnounceParameters = {
  info_hash: HASH_1_LOWER,
  peer_id: PEER_ID_1,
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 0,
  compact: 1,
  event: 'started',
};

/** The query of a seeder that starts, with `changes`; a parameter set to undefined is left out. */
export function announceQuery(changes: AnnounceParameters = {}): string {
  return Object.entries({ ...SEEDER_STARTS, ...changes })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

export function scrapeQuery(...hashes: readonly Uint8Array[]): string {
  return hashes.map((hash) => `info_hash=${escaped(hash)}`).join('&');
}

/** The bytes of a request for `target` (each character one byte) with Host and the given header lines. */
export function rawRequest(
  target: string,
  headerLines: readonly string[] = [],
  { method = 'GET', version = 'HTTP/1.1', body = '' } = {},
): Buffer {
  const lines = [`${method} ${target} ${version}`, 'Host: tracker.example', ...headerLines, '', body];
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

function escapedByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
